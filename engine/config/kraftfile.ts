import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Jiti } from 'jiti'
import { isKraftError, type Place } from '../errors/failure.js'
import { cacheFolder } from '../files/cache-folder.js'
import { commonJs } from './common-js.js'
import { decode } from './decode.js'
import { loadFailure } from './load-failure.js'
import { type ModuleText, moduleText } from './module-text.js'
import { refuseNameless } from './nameless.js'
import { kraftfileNames, nearestKraftfile } from './nearest-kraftfile.js'
import { installedKraftwerk, isRunning, runningFile, runningRoot } from './own-copy.js'
import { placeAt } from './place-at.js'
import { refuseSecond } from './second-kraftfile.js'
import { unlessStuck } from './stuck.js'
import { refuseForeign } from './trust.js'

/** A kraftfile that was run. */
export interface Kraftfile {
  readonly file: string
  readonly folder: string
  readonly exports: Readonly<Record<string, unknown>>
  /** Doc comments by exported name. */
  readonly docs: Readonly<Record<string, string>>
  /** Where an export is declared. */
  readonly declared: Readonly<Record<string, Place>>
  /**
   * Every local file that it loaded, itself first, and those of plugins (packages that depend on kraftwerk); what else is below
   * node_modules belongs to the lockfile.
   */
  readonly imports: readonly string[]
}

/**
 * Runs the nearest kraftfile at or above a folder; undefined where there is none. Types are not checked: an editor does that.
 * Throws a KraftError `setting` for a file that others can write, a syntax error, an import that is missing, or code that throws,
 * with file, line and column.
 *
 * @example const { exports, docs } = (await loadKraftfile(process.cwd())) ?? { exports: {}, docs: {} }
 */
export async function loadKraftfile(from: string, running: Running = {}): Promise<Kraftfile | undefined> {
  const nearest = nearestKraftfile(from)
  if (nearest === undefined) return undefined
  const { explorer } = await import('./explorer.js')
  const search = await explorer(kraftfileNames, (file) => load(file, running))
  return (await search(dirname(nearest)))?.content
}

/** How a kraftfile is run: by which kraft, where it is not the one that this file is part of, and for how long. */
export interface Running {
  /** The folder of its package. */
  readonly root?: string
  /** Seconds that a kraftfile may take to load. */
  readonly patience?: number
}

async function load(file: string, { patience, ...running }: Running): Promise<Kraftfile> {
  refuseSecond(file)
  await refuseForeign(file)
  decode(await readFile(file), file)
  const jiti = await runner(file, running)
  const before = new Set(Object.keys(jiti.cache))
  let loaded: unknown
  try {
    loaded = await unlessStuck(jiti.import(file), file, patience)
  } catch (error) {
    if (isKraftError(error)) throw error
    throw await loadFailure(error, file)
  }
  const ran = Object.keys(jiti.cache).filter((path) => !before.has(path) && isLocal(path))
  const modules = await readModules(jiti, [file, ...ran])
  refuseNameless(loaded, file, modules.get(file)?.source ?? '')
  const exports = exportsOf(loaded)
  const told = Object.keys(exports).map((name) => [name, origin(modules, file, name)] as const)
  return {
    file,
    folder: dirname(file),
    exports,
    docs: Object.fromEntries(told.flatMap(([name, found]) => (found?.doc === undefined ? [] : [[name, found.doc]]))),
    declared: Object.fromEntries(told.flatMap(([name, found]) => (found === undefined ? [] : [[name, found.at]]))),
    imports: [...modules.keys()],
  }
}

async function runner(file: string, { root }: Running): Promise<Jiti> {
  const { createJiti } = commonJs<typeof import('jiti')>('jiti')
  const own = installedKraftwerk(dirname(file))
  // Where no copy is installed, or the one that runs, imports get the modules that the CLI itself has.
  const alias =
    own !== undefined && !isRunning(own, root)
      ? {}
      : {
          'kraftwerk/tasks': runningFile('tasks/index'),
          'kraftwerk/recipes': join(runningRoot, 'recipes'),
          kraftwerk: runningFile('index'),
        }
  return createJiti(file, { fsCache: await privateCache(), alias })
}

/** jiti's own choice can be a folder of /tmp, where another user could leave code for us to run. */
async function privateCache(): Promise<string | false> {
  const folder = join(cacheFolder(), 'jiti')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  } catch {
    // A home that can't be written costs some time, nothing else.
    return false
  }
}

function exportsOf(loaded: unknown): Readonly<Record<string, unknown>> {
  if (typeof loaded !== 'object' || loaded === null) return {}
  return Object.fromEntries(Object.entries(loaded).filter(([name]) => name !== 'default' && name !== '__esModule'))
}

function isLocal(path: string): boolean {
  return !path.includes(`${sep}node_modules${sep}`) && !path.startsWith(runningRoot + sep)
}

/** True for a file of a package that says in its package.json that it goes with kraftwerk. */
function isPlugin(path: string): boolean {
  const below = path.lastIndexOf(`${sep}node_modules${sep}`)
  if (below < 0 || path.startsWith(runningRoot + sep)) return false
  const [first = '', second = ''] = path.slice(below + 14).split(sep)
  const file = join(path.slice(0, below), 'node_modules', first, first.startsWith('@') ? second : '', 'package.json')
  try {
    const { name, dependencies, peerDependencies } = JSON.parse(readFileSync(file, 'utf8'))
    return name !== 'kraftwerk' && Object.hasOwn({ ...dependencies, ...peerDependencies }, 'kraftwerk')
  } catch {
    // Whatever is wrong with it, Node.js says so when it loads it.
    return false
  }
}

interface Module extends ModuleText {
  readonly source: string
  /** Where each specifier leads, for those that lead to local files. */
  readonly leads: Readonly<Record<string, string>>
}

/** The files that were run and whatever they import in turn: modules that Node.js loads itself leave no trace in jiti. */
async function readModules(jiti: Jiti, files: readonly string[]): Promise<ReadonlyMap<string, Module>> {
  const modules = new Map<string, Module>()
  const queue = [...files]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (modules.has(path)) continue
    const source = await readFile(path, 'utf8')
    const text = /\.[cm]?[jt]sx?$/.test(path) ? moduleText(source) : moduleText('')
    const leads: Record<string, string> = {}
    for (const { specifier } of text.imports) {
      const target = await leadsTo(jiti, specifier, path)
      if (target !== undefined) leads[specifier] = target
    }
    modules.set(path, { ...text, source, leads })
    queue.push(...Object.values(leads))
  }
  return modules
}

async function leadsTo(jiti: Jiti, specifier: string, parent: string): Promise<string | undefined> {
  if (specifier.startsWith('node:')) return undefined
  const found: string | undefined = jiti.esmResolve(specifier, { parentURL: parent, try: true })
  if (found === undefined) return undefined
  const path = String(found).startsWith('file:') ? fileURLToPath(found) : String(found)
  if (!path.startsWith(sep) || !existsSync(path)) return undefined
  const real = await realpath(path)
  return isLocal(real) || isPlugin(real) ? real : undefined
}

interface Origin {
  readonly doc: string | undefined
  readonly at: Place
}

/** Follows an export through re-exports to where it is declared. */
function origin(modules: ReadonlyMap<string, Module>, file: string, name: string, seen = new Set<string>()): Origin | undefined {
  const module = modules.get(file)
  if (module === undefined || seen.has(`${file} ${name}`)) return undefined
  seen.add(`${file} ${name}`)
  const offset = Object.hasOwn(module.declared, name) ? module.declared[name] : undefined
  if (offset !== undefined) {
    return { doc: Object.hasOwn(module.docs, name) ? module.docs[name] : undefined, at: placeAt(file, module.source, offset) }
  }
  const passed = Object.hasOwn(module.passedOn, name) ? module.passedOn[name] : undefined
  const targets = passed === undefined ? module.stars.map((star) => [star, name] as const) : [passed]
  for (const [specifier, original] of targets) {
    const target = module.leads[specifier]
    const found = target === undefined ? undefined : origin(modules, target, original, seen)
    if (found !== undefined) return found
  }
  return undefined
}
