import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nearestKraftfile } from '../config/nearest-kraftfile.js'
import { runningRoot } from '../config/own-copy.js'
import { cacheFolder } from '../files/cache-folder.js'

/** What decides whether a value that was kept still counts. */
export interface CacheKey {
  /** Where kraft was called: the nearest kraftfile and lockfile count. */
  readonly folder: string
  /** The folder of kraft's package. */
  readonly root: string
  /** kraft's version; its build and Node.js's version count by themselves. */
  readonly version: string
  /** What is kept, where it is not the list of tasks: values of different kinds do not replace each other. */
  readonly kind?: string
  /** More files that the value is made of; one that is not there yet counts as well. */
  readonly files?: readonly string[]
}

/** Content by file or folder; null: it was not there. */
type Prints = Readonly<Record<string, string | null>>

interface Entry {
  readonly words: readonly string[]
  /** The files that are known before anything is loaded. */
  readonly given: readonly string[]
  readonly prints: Prints
  readonly value: unknown
}

// npm, pnpm and yarn also leave a note of what is installed, whatever the lockfile says.
const lockfiles = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock']
const installed = ['.package-lock.json', '.modules.yaml', '.yarn-integrity'].map((name) => join('node_modules', name))

/**
 * The value that an earlier run kept, if everything that it was made from is byte for byte the same; else what `load` makes,
 * with the files that it read in doing so. Values must survive JSON. Loads nothing but Node.js's own modules.
 *
 * @example const list = await cached({ folder, root, version }, async () => ({ value, files: kraftfile.imports }))
 */
export async function cached<T>(key: CacheKey, load: () => Promise<{ value: T; files: readonly string[] }>): Promise<T> {
  const words = [key.version, process.version, await build()]
  const kraftfile = nearestKraftfile(key.folder)
  const given = [
    ...(kraftfile === undefined ? [] : [kraftfile]),
    ...nearestOf(lockfiles, key.folder),
    ...nearestOf(installed, key.folder),
  ]
  given.push(...(key.files ?? []))
  const file = join(cacheFolder(), `${hash(JSON.stringify([key.root, key.folder, key.kind]))}.json`)

  const kept = await readEntry(file)
  const now = { words, given, prints: {}, value: undefined }
  if (kept !== undefined && (await holds(kept, now))) return kept.value as T

  const started = Date.now()
  const before = await prints(given)
  const { value, files } = await load()
  const after = await prints([...given, ...files, ...files.map((path) => dirname(path))])
  // What changed while it was loaded may have been read before or after: the next run finds out.
  const moved = given.some((path) => before[path] !== after[path]) || (await anyYounger(files, started))
  if (!moved) await keep(file, { words, given, prints: after, value })
  return value
}

async function holds(kept: Entry, { words, given }: Entry): Promise<boolean> {
  if (JSON.stringify([kept.words, kept.given]) !== JSON.stringify([words, given])) return false
  const now = await prints(Object.keys(kept.prints))
  return Object.entries(kept.prints).every(([path, print]) => now[path] === print)
}

async function prints(paths: readonly string[]): Promise<Prints> {
  return Object.fromEntries(await Promise.all([...new Set(paths)].map(async (path) => [path, await print(path)] as const)))
}

/** A file by its content. A folder by the names of code in it: a new `a.js` may now stand before `a.ts`. */
async function print(path: string): Promise<string | null> {
  try {
    return hash(await readFile(path))
  } catch (error) {
    if (!isDirectory(error)) return null
    const names = await readdir(path).catch(() => [])
    return hash(JSON.stringify(names.filter((name) => /\.([cm]?[jt]sx?|json)$/.test(name)).sort()))
  }
}

function isDirectory(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EISDIR'
}

/** True if a file was written since `started`, as far as its file system can tell: some know only seconds. */
async function anyYounger(files: readonly string[], started: number): Promise<boolean> {
  const times = await Promise.all(
    files.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Number.POSITIVE_INFINITY,
      ),
    ),
  )
  return times.some((time) => time >= started - (Number.isInteger(time / 1000) ? 2000 : 20))
}

/** Those of some files that stand in the nearest folder that has any. */
function nearestOf(names: readonly string[], from: string): readonly string[] {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = names.map((name) => join(folder, name)).filter((path) => existsSync(path))
    if (found.length > 0 || folder === dirname(folder)) return found
  }
}

async function readEntry(file: string): Promise<Entry | undefined> {
  try {
    const entry: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isEntry(entry) ? entry : undefined
  } catch {
    // Missing or broken: a miss, and the next write mends it.
    return undefined
  }
}

function isEntry(entry: unknown): entry is Entry {
  if (
    typeof entry !== 'object' ||
    entry === null ||
    !('words' in entry) ||
    !('given' in entry) ||
    !('prints' in entry) ||
    !('value' in entry)
  )
    return false
  const { words, given, prints: kept } = entry
  if (!Array.isArray(words) || !Array.isArray(given) || typeof kept !== 'object' || kept === null) return false
  // Where nothing is given, as without a kraftfile, the value hangs on kraft's own build alone.
  return given.every((path) => String(path) in kept)
}

async function keep(file: string, entry: Entry): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(temporary, JSON.stringify(entry), { mode: 0o600 })
    await rename(temporary, file)
  } catch {
    // A cache that can't be written is no cache; the value is right all the same.
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/** What scripts/build.mjs wrote beside the compiled files: another build of the same version lists other tasks. */
async function build(): Promise<string> {
  return readFile(join(runningRoot, 'build.json'), 'utf8').catch(() => 'source')
}

function hash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
