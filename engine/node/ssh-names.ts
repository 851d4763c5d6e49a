import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isKraftError } from '../errors/failure.js'
import { writeAtomic } from '../files/atomic.js'
import { locked } from '../files/lock.js'
import { readIfThere } from '../files/read-if-there.js'
import { nodesConfig, nodesKnownHosts } from '../ssh/include.js'
import { inventoryFile, recordsIn } from './inventory.js'
import type { NodeRecord } from './record.js'

/** The nodes of one nodes.yaml. */
interface Remembered {
  readonly file: string
  readonly records: readonly NodeRecord[]
  /** It is there and can't be read. */
  readonly broken?: true
}

/** The private key that opens a node, where OpenSSH would not find it by itself. */
export type IdentityOf = (record: NodeRecord) => string | undefined

const head =
  '# Written by kraft from the nodes that it remembers, at provision, adopt and terminate. What is changed here is lost.'
const asked = '# You were asked whether ~/.ssh/config may include this file.'
const from = '# from '

/**
 * Writes ~/.kraftwerk/ssh_config and known_hosts anew: the nodes of a project and of this machine, and those of the other projects that
 * are in it already. Of two nodes of one name the one counts that was written last. Where there is no node left both are empty.
 */
export async function writeSshNames(projectFolder: string | undefined, identityOf: IdentityOf): Promise<void> {
  const file = nodesConfig()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await locked(file, async (held) => {
    const text = (await readIfThere(file)) ?? ''
    const sources = new Set([inventoryFile(projectFolder), inventoryFile(), ...filesIn(text)])
    const remembered = withoutTwins(await Promise.all([...sources].map(recordsOf)))
    const before = () => held.stillMine()
    // The keys first: with the new names and the old keys ssh would refuse.
    await writeAtomic(nodesKnownHosts(), knownHostsOf(remembered), { mode: 0o600, before })
    await writeAtomic(file, sshConfigOf(remembered, isAskedIn(text), identityOf), { mode: 0o600, before })
  })
}

/** Whether a person was asked for the line in ~/.ssh/config before. */
export async function wasAsked(): Promise<boolean> {
  return isAskedIn((await readIfThere(nodesConfig())) ?? '')
}

/** Remembers that a person was asked, so that this happens once. */
export async function noteAsked(): Promise<void> {
  const file = nodesConfig()
  await locked(file, async () => {
    const text = (await readIfThere(file)) ?? `${head}\n`
    if (!isAskedIn(text)) await writeAtomic(file, text.replace('\n', `\n${asked}\n`), { mode: 0o600 })
  })
}

function isAskedIn(text: string): boolean {
  return text.split('\n').includes(asked)
}

function filesIn(text: string): readonly string[] {
  return text.split('\n').flatMap((row) => (row.startsWith(from) ? [row.slice(from.length)] : []))
}

// Another project's mistake is told there, and its nodes come again when it is mended.
async function recordsOf(file: string): Promise<Remembered> {
  try {
    return { file, records: await recordsIn(file) }
  } catch (error) {
    if (!isKraftError(error)) throw error
    return { file, records: [], broken: true }
  }
}

function withoutTwins(remembered: readonly Remembered[]): readonly Remembered[] {
  const seen = new Set<string>()
  return remembered.map((each) => {
    const records = each.records.filter(({ name }) => !seen.has(name))
    for (const { name } of records) seen.add(name)
    return { ...each, records }
  })
}

/** Known by an alias of its own, whatever else has its address; ssh finds only small letters. */
function aliasOf({ name }: NodeRecord): string {
  return `${name.toLowerCase()}.kraftwerk`
}

function knownHostsOf(remembered: readonly Remembered[]): string {
  const records = remembered.flatMap((each) => each.records)
  const rows = records.flatMap((record) => record.host_keys.map((key) => `${aliasOf(record)} ${key}`))
  return [head, ...rows, ''].join('\n')
}

function sshConfigOf(remembered: readonly Remembered[], isAsked: boolean, identityOf: IdentityOf): string {
  const sections = remembered
    .filter(({ records, broken }) => records.length > 0 || broken === true)
    .flatMap(({ file, records }) => ['', `${from}${file}`, ...records.flatMap((record) => block(record, identityOf(record)))])
  return [head, ...(isAsked ? [asked] : []), ...sections, ''].join('\n')
}

function block(record: NodeRecord, identity: string | undefined): readonly string[] {
  const { name, address, port = 22, user, host_keys: keys } = record
  const known = [
    ['HostKeyAlias', aliasOf(record)],
    ['UserKnownHostsFile', quoted(nodesKnownHosts())],
    ['StrictHostKeyChecking', 'yes'],
  ]
  const rows = [
    ['HostName', address.replaceAll('%', '%%')],
    ['Port', String(port)],
    ['User', user],
    ...(keys.length === 0 ? [] : known),
    ...(identity === undefined ? [] : [['IdentityFile', quoted(identity)]]),
  ]
  return [`Host ${name}`, ...rows.map((row) => `  ${row.join(' ')}`)]
}

function quoted(path: string): string {
  const plain = path.replaceAll('%', '%%')
  return plain.includes(' ') ? `"${plain}"` : plain
}
