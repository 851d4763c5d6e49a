import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { writeAtomic } from './atomic.js'

/**
 * What was kept under a name for exactly this key; undefined where that is not known. It is believed only if nobody else can write it,
 * and whoever reads it must check nothing more: what it was made from belongs in the key.
 *
 * @example const rows = await kept('ssh', [text, version])
 */
export async function kept(name: string, key: readonly unknown[]): Promise<unknown> {
  try {
    const file = fileOf(name)
    const [folder, found] = [await lstat(dirname(file)), await lstat(file)]
    const isOurs = [folder, found].every(({ uid, mode }) => uid === userInfo().uid && (mode & 0o022) === 0)
    if (!isOurs || !folder.isDirectory() || !found.isFile()) return undefined
    const entry: { readonly key: string; readonly value: unknown } = JSON.parse(await readFile(file, 'utf8'))
    return entry.key === digest(key) ? entry.value : undefined
  } catch {
    // Not there or not readable: it is made again.
    return undefined
  }
}

/** Keeps a value that JSON can hold, in place of the last one of that name. What can't be kept costs time and nothing else. */
export async function keep(name: string, key: readonly unknown[], value: unknown): Promise<void> {
  const file = fileOf(name)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeAtomic(file, JSON.stringify({ key: digest(key), value }), { mode: 0o600 })
  } catch {
    // A home that is read-only, say.
  }
}

/** A name for what belongs to one file among others of its kind. */
export function named(kind: string, path: string): string {
  return `${kind}-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`
}

function fileOf(name: string): string {
  return join(homedir(), '.kraftwerk', 'cache', `${name}.json`)
}

function digest(key: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex')
}
