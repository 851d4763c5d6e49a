import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, stat } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { runningExtension, runningFile, runningRoot } from '../config/own-copy.js'
import { writeAtomic } from './atomic.js'
import type { NodeRecord } from './record.js'

/** Files that are read with care but seldom change: what {@link remembered} gives back, without the cost of YAML and schema. */
interface Entry {
  readonly key: string
  readonly records: readonly NodeRecord[]
}

/**
 * The records of a nodes.yaml as they were found in exactly this text by exactly this kraft; undefined where that is not known. The
 * cache lies beside the other things of ours and is believed only if nobody else can write it.
 */
export async function remembered(path: string, text: string): Promise<readonly NodeRecord[] | undefined> {
  try {
    const file = cacheFile(path)
    const [folder, found] = [await lstat(dirname(file)), await lstat(file)]
    const isOurs = [folder, found].every(({ uid, mode }) => uid === userInfo().uid && (mode & 0o022) === 0)
    if (!isOurs || !folder.isDirectory() || !found.isFile()) return undefined
    const entry: Entry = JSON.parse(await readFile(file, 'utf8'))
    return entry.key === (await keyOf(text)) ? entry.records : undefined
  } catch {
    // Not there or not readable: the file itself is read.
    return undefined
  }
}

/** Keeps what was found in a text. One that can't be kept costs time and nothing else. */
export async function keep(path: string, text: string, records: readonly NodeRecord[]): Promise<void> {
  const file = cacheFile(path)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeAtomic(file, JSON.stringify({ key: await keyOf(text), records } satisfies Entry), { mode: 0o600 })
  } catch {
    // A home that is read-only, say.
  }
}

function cacheFile(path: string): string {
  return join(homedir(), '.kraftwerk', 'cache', `nodes-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.json`)
}

// Another version may check other things.
async function keyOf(text: string): Promise<string> {
  const mark = runningExtension === '.js' ? join(runningRoot, 'build.json') : runningFile('engine/node/record-section')
  const { size, mtimeMs } = await stat(mark)
  return createHash('sha256')
    .update(JSON.stringify([mark, size, mtimeMs, text]))
    .digest('hex')
}
