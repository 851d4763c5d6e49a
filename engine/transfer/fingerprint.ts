import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import { KraftError } from '../errors/failure.js'
import { writeAtomic } from '../files/atomic.js'
import { type Kind, type ManifestEntry, sha256, type TreeEntry } from './manifest.js'

/** An entry of a tree with what it holds. */
export interface Fingerprint extends ManifestEntry {
  /** Bytes of a file; 0 for links and folders. */
  readonly size: number
}

/** What a hash is remembered by, and the hash. */
type Memory = ReadonlyMap<string, readonly [stamp: string, hash: string]>

// Larger files are read in pieces.
const whole = 1024 * 1024
/** Nanoseconds within which a file may change again and look the same: the clocks of file systems tick as slowly as this. */
const tick = 2_000_000_000n

/**
 * Hashes the entries of a tree. What did not change since the last time is not read again: `memory` names a file that keeps hashes by
 * size, times and inode, as git's index does. Entries that are gone by now are left out.
 *
 * @throws KraftError `task` for a file that can't be read or never stands still.
 * @example await fingerprint('/home/ada/shop', entries, '/home/ada/.cache/kraftwerk/hashes/shop.json')
 */
export async function fingerprint(
  folder: string,
  entries: readonly TreeEntry[],
  memory?: string,
): Promise<readonly Fingerprint[]> {
  const before = memory === undefined ? new Map<string, never>() : await recall(memory)
  const after = new Map<string, readonly [string, string]>()
  const found: Fingerprint[] = []
  let read = 0
  for (const { path } of entries) {
    const seen = look(join(folder, path))
    if (seen === undefined) continue
    const known = before.get(path)
    if (seen.kind === 'folder' || seen.kind === 'link') {
      found.push({ path, kind: seen.kind, hash: sha256(seen.target), size: 0 })
    } else if (known?.[0] === seen.stamp) {
      after.set(path, known)
      found.push({ path, kind: seen.kind, hash: known[1], size: seen.size })
    } else {
      // Reading keeps the processor to itself: what else happens gets its turn.
      if (read++ % 200 === 0) await breathe()
      const { settled, ...hashed } = await readStill(folder, path)
      if (settled !== undefined) after.set(path, [settled, hashed.hash])
      found.push(hashed)
    }
  }
  if (memory !== undefined && (read > 0 || after.size !== before.size)) await remember(memory, after)
  return found
}

interface Seen {
  readonly kind: Kind
  readonly size: number
  /** A link's target. */
  readonly target: string | Buffer
  /** Changes with every change of the file, unless two of them fall into one tick of the clock. */
  readonly stamp: string
  /** When it changed last, in nanoseconds since 1970. */
  readonly changed: bigint
}

function look(path: string): Seen | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const { size, mtimeNs, ctimeNs, ino, mode } = stats
  return {
    kind: stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'folder' : (mode & 0o100n) === 0n ? 'file' : 'program',
    size: Number(size),
    target: stats.isSymbolicLink() ? readlinkSync(path, { encoding: 'buffer' }) : '',
    stamp: [size, mtimeNs, ctimeNs, ino].join(':'),
    changed: mtimeNs > ctimeNs ? mtimeNs : ctimeNs,
  }
}

/** Hashes a file that nobody changes meanwhile. `settled` is its stamp, where that can't stand for other bytes as well. */
async function readStill(folder: string, path: string): Promise<Fingerprint & { readonly settled: string | undefined }> {
  const file = join(folder, path)
  for (let attempt = 0; attempt < 5; attempt++) {
    const began = BigInt(Date.now()) * 1_000_000n
    const before = look(file)
    const hash = before === undefined ? undefined : await hashOf(file, before.size)
    if (before === undefined || hash === undefined || look(file)?.stamp !== before.stamp) continue
    const settled = before.changed + tick < began ? before.stamp : undefined
    return { path, kind: before.kind, hash, size: before.size, settled }
  }
  throw new KraftError({
    kind: 'task',
    message: `${path} changes while it is read`,
    next: 'Wait until it is written, or leave it out with a line in .kraftignore',
  })
}

/** Undefined where the file is gone. */
async function hashOf(file: string, size: number): Promise<string | undefined> {
  try {
    if (size <= whole) return sha256(readFileSync(file))
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash)
    return hash.digest('hex')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new KraftError(
      {
        kind: 'task',
        message: `${file} can't be read`,
        output: String(error),
        next: 'Make it readable, or leave it out with a line in .kraftignore',
      },
      error,
    )
  }
}

const version = 1

// What can't be read is hashed again.
async function recall(file: string): Promise<Memory> {
  try {
    const kept: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof kept !== 'object' || kept === null || !('version' in kept) || kept.version !== version || !('files' in kept))
      return new Map()
    return new Map(Object.entries(kept.files as Record<string, [string, string]>))
  } catch {
    return new Map()
  }
}

async function remember(file: string, memory: Memory): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeAtomic(file, JSON.stringify({ version, files: Object.fromEntries(memory) }), { mode: 0o600 })
  } catch {
    // Without it the next time takes longer, and nothing else.
  }
}
