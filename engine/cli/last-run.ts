import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { writeAtomic } from '../files/atomic.js'

/** Which run: of a task on a target, in a project or, outside of one, anywhere. */
export interface RunKey {
  /** The project's folder; empty outside of a project. */
  readonly folder: string
  readonly task: string
  readonly target: string
}

/** The names of the nodes on which the last run failed, or which it did not come to; undefined where there was none. */
export async function lastFailed(key: RunKey): Promise<readonly string[] | undefined> {
  try {
    const kept: unknown = JSON.parse(await readFile(fileOf(key), 'utf8'))
    if (typeof kept !== 'object' || kept === null || !('failed' in kept) || !Array.isArray(kept.failed)) return undefined
    return kept.failed.filter((name) => typeof name === 'string')
  } catch {
    // Missing or broken: then nothing is known, and kraft says so.
    return undefined
  }
}

/**
 * Remembers on which nodes a run failed, in `~/.kraftwerk/last-run` (mode 0600, no secrets). Nodes that this run did not mean
 * to touch (`limited`) keep what was known of them.
 */
export async function rememberRun(
  key: RunKey,
  nodes: readonly string[],
  failed: readonly string[],
  limited: boolean,
): Promise<void> {
  const before = limited ? ((await lastFailed(key)) ?? []).filter((name) => !nodes.includes(name)) : []
  const file = fileOf(key)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const at = new Date().toISOString()
    await writeAtomic(file, `${JSON.stringify({ ...key, at, failed: [...before, ...failed] }, null, 2)}\n`, { mode: 0o600 })
  } catch {
    // A home that can't be written costs --retry-failed, not the run.
  }
}

function fileOf({ folder, task, target }: RunKey): string {
  const name = createHash('sha256')
    .update(JSON.stringify([folder, task, target]))
    .digest('hex')
    .slice(0, 24)
  return join(homedir(), '.kraftwerk', 'last-run', `${name}.json`)
}
