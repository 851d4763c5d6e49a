import { chmod, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Values } from '../config/validate.js'
import { parseYaml, readText, type YamlText } from '../config/yaml.js'
import { formatPlace, KraftError } from '../errors/failure.js'
import { writeAtomic } from '../files/atomic.js'
import { locked } from '../files/lock.js'
import { keepRecords, remembered } from './inventory-cache.js'
import type { Provider } from './provider.js'
import type { NodeRecord } from './record.js'
import type { recordSection } from './record-section.js'

const nodeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** The nodes that kraft remembers: those of a project and those of this machine. */
export interface Inventory {
  /** The node of this name, if it is known. */
  get(name: string): NodeRecord | undefined
  /** Every node, by name. */
  all(): readonly NodeRecord[]
}

/** nodes.yaml of a project, or with no folder the one of this machine (local nodes, and all nodes outside a project). */
export function inventoryFile(projectFolder?: string): string {
  return join(projectFolder ?? join(homedir(), '.kraftwerk'), 'nodes.yaml')
}

/**
 * Reads nodes.yaml beside kraftwerk.yaml, if a project is given, and `~/.kraftwerk/nodes.yaml`. Throws a KraftError `setting`
 * for a mistake in them, and where both know the same name.
 *
 * @example const node = (await loadInventory(project?.folder)).get('one')
 */
export async function loadInventory(projectFolder?: string): Promise<Inventory> {
  const files = [...new Set([inventoryFile(projectFolder), inventoryFile()])]
  const nodes = new Map<string, { record: NodeRecord; path: string }>()
  for (const path of files) {
    for (const record of await recordsIn(path)) {
      const other = nodes.get(record.name)
      if (other !== undefined) throw await inBoth(record.name, other.path, path)
      nodes.set(record.name, { record, path })
    }
  }
  const all = [...nodes.values()].map(({ record }) => record).sort((a, b) => (a.name < b.name ? -1 : 1))
  return { get: (name) => nodes.get(name)?.record, all: () => all }
}

/** Throws a KraftError `usage` for what cannot name a node. Ask before a node is made: one without a record is an orphan. */
export function refuseNodeName(name: string): void {
  if (nodeName.test(name) && name !== 'all') return
  const why = name === 'all' ? 'all means every node' : 'a name has letters, digits, dots and hyphens, 63 at the most'
  throw new KraftError({
    kind: 'usage',
    message: `A node cannot be called "${name}": ${why}`,
    next: 'Take another name, for example: kraft provision one',
  })
}

/**
 * Writes a node into nodes.yaml, over an older record of the same name: one that its provider made on this machine, or one outside a
 * project, into `~/.kraftwerk/nodes.yaml`, any other beside kraftwerk.yaml, unless the other file has this very node already. Comments
 * stay. Throws a KraftError where the other file has another node of that name.
 */
export async function remember(
  record: NodeRecord,
  projectFolder?: string,
  { onThisMachine = false }: Pick<Provider, 'onThisMachine'> = {},
): Promise<void> {
  refuseNodeName(record.name)
  const usual = inventoryFile(onThisMachine ? undefined : projectFolder)
  const other = [inventoryFile(projectFolder), inventoryFile()].find((each) => each !== usual)
  const there = other === undefined ? undefined : await read(other)
  const known = there === undefined ? undefined : (await records(there)).find(({ name }) => name === record.name)
  if (there !== undefined && known !== undefined && !isSame(known, record)) {
    const message = `The node "${record.name}" is remembered already in ${formatPlace(there.place([record.name], 'key'))}`
    throw new KraftError({ kind: 'task', message, next: 'Choose another name' })
  }
  await change(known === undefined || other === undefined ? usual : other, (file) => {
    const { recordKeys } = file
    for (const key of recordKeys) {
      const value = record[key]
      if (value === undefined) file.document.deleteIn([record.name, key])
      else file.document.setIn([record.name, key], file.document.createNode(value))
    }
    return true
  })
}

// A provider knows its nodes by an id, and an adopted one is where it is.
function isSame(known: NodeRecord, record: NodeRecord): boolean {
  if (known.provider !== record.provider) return false
  return record.id === undefined ? known.address === record.address : known.id === record.id
}

/** Removes a node from whichever nodes.yaml has it. One that is not there is fine. */
export async function forget(name: string, projectFolder?: string): Promise<void> {
  for (const path of new Set([inventoryFile(projectFolder), inventoryFile()])) {
    if ((await read(path))?.document.has(name) !== true) continue
    await change(path, ({ document }) => document.delete(name))
  }
}

type Change = (file: YamlText & { readonly recordKeys: readonly (keyof typeof recordSection)[] }) => boolean

async function change(path: string, edit: Change): Promise<void> {
  const home = path === inventoryFile()
  if (home) await privateFolder(dirname(path))
  const { recordSection } = await import('./record-section.js')
  const recordKeys = Object.keys(recordSection).filter((key): key is keyof typeof recordSection => key in recordSection)
  await locked(path, async (held) => {
    const file = (await read(path)) ?? (await parseYaml('{}', path))
    // Whoever can't read the file must not rewrite it.
    await records(file)
    if (file.document.contents === null || isEmptyFlow(file)) file.document.contents = file.document.createNode({})
    if (!edit({ ...file, recordKeys })) return
    await writeAtomic(path, file.document.toString({ lineWidth: 0 }), {
      mode: home ? 0o600 : 0o644,
      before: () => held.stillMine(),
    })
  })
}

function isEmptyFlow({ value }: YamlText): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

async function privateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { mode } = await stat(folder)
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700)
}

async function read(path: string): Promise<YamlText | undefined> {
  const text = await readText(path).catch(absent)
  return text === undefined ? undefined : parseYaml(text, path)
}

function absent(error: unknown): undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

async function records(file: YamlText): Promise<readonly NodeRecord[]> {
  const [{ check, refuse }, { recordSection }] = await Promise.all([
    import('../config/validate.js'),
    import('./record-section.js'),
  ])
  const { value } = file
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KraftError({
      kind: 'setting',
      message: 'This file should be a map of nodes by name',
      place: file.place([]),
      next: 'For example: one: { provider: static, address: 192.0.2.1, user: root, host_keys: [] }',
    })
  }
  const results = Object.keys(value).map((name) => ({ name, ...check(recordSection, file, [name]) }))
  refuse(results.flatMap(({ problems }) => problems))
  const wrong = results.find(({ name }) => !nodeName.test(name) || name === 'all')
  if (wrong !== undefined) {
    throw new KraftError({
      kind: 'setting',
      message: `"${wrong.name}" cannot name a node`,
      place: file.place([wrong.name], 'key'),
      next: 'A name has letters, digits, dots and hyphens, 63 at the most, and all means every node: take another one',
    })
  }
  return results.map(({ name, values }) => recordOf(name, values))
}

function recordOf(
  name: string,
  { provider, id, address, port, user, host_keys, made }: Values<typeof recordSection>,
): NodeRecord {
  return {
    name,
    provider,
    ...(id === undefined ? {} : { id }),
    address,
    ...(port === undefined ? {} : { port }),
    user,
    host_keys,
    ...(made === undefined ? {} : { made }),
  }
}

/** The nodes of one nodes.yaml; none where there is no such file. Throws a KraftError `setting` for a mistake in it. */
// Reading YAML and its schema takes longer than most commands over a connection that is open.
export async function recordsIn(path: string): Promise<readonly NodeRecord[]> {
  const text = await readText(path).catch(absent)
  if (text === undefined) return []
  const before = await remembered(path, text)
  if (before !== undefined) return before
  const found = await records(await parseYaml(text, path))
  await keepRecords(path, text, found)
  return found
}

async function inBoth(name: string, ...paths: readonly string[]): Promise<KraftError> {
  const files = await Promise.all(paths.map(async (path) => parseYaml(await readText(path), path)))
  const places = files.map((file) => file.place([name], 'key'))
  return new KraftError({
    kind: 'setting',
    message: `Two nodes are called "${name}": ${places.map(formatPlace).join(' and ')}`,
    place: places.at(-1) ?? { file: paths.join(' and ') },
    next: 'Rename or remove one of them',
  })
}
