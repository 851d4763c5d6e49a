import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { KraftError } from '../errors/failure.js'

/** A file is held for milliseconds; what is older than this belongs to a machine that is gone. */
const forgotten = 60_000
const patience = 15_000

/** What {@link locked} hands to the work that it guards. */
export interface Held {
  /** Throws where somebody took the lock for abandoned; ask right before what can't be undone. */
  stillMine(): Promise<void>
}

/**
 * Runs `work` while no other kraft on this machine, or on one that shares the folder, changes `file`. The lock is
 * `FILE.lock`; one whose owner died is taken over. Waits 15 seconds at the most, then throws a KraftError `task`.
 *
 * @example await locked('nodes.yaml', async (held) => { … await held.stillMine(); await rename(temporary, 'nodes.yaml') })
 */
export async function locked<T>(file: string, work: (held: Held) => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  const owner = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() })
  await acquire(lock, owner)
  try {
    return await work({
      async stillMine() {
        if ((await content(lock)) !== owner)
          throw new KraftError({ kind: 'task', message: `${lock} was taken over by another kraft`, next: 'Try again' })
      },
    })
  } finally {
    if ((await content(lock)) === owner) await rm(lock, { force: true })
  }
}

async function acquire(lock: string, owner: string): Promise<void> {
  // Linking a finished file makes the lock and its content appear at once, so that nobody sees it half written.
  const mine = `${lock}.${randomUUID()}`
  await writeFile(mine, owner, { mode: 0o600 })
  try {
    const until = Date.now() + patience
    while (!(await linked(mine, lock))) {
      if (await abandoned(lock)) await breakLock(lock)
      else if (Date.now() > until) {
        const holder = await content(lock)
        throw new KraftError({
          kind: 'task',
          message: `Another kraft holds ${lock}: ${holder ?? 'it is gone now'}`,
          next: 'Try again',
        })
      } else await setTimeout(20 + Math.random() * 30)
    }
  } finally {
    await rm(mine, { force: true })
  }
}

async function abandoned(lock: string): Promise<boolean> {
  const text = await content(lock)
  if (text === undefined) return false
  const age = Date.now() - (await stat(lock).then(({ mtimeMs }) => mtimeMs, gone(Date.now())))
  const { pid, host } = ownerOf(text)
  return age > forgotten || (host === hostname() && pid !== undefined && !alive(pid))
}

/** Renaming lets only one of several waiters break a lock; if it was a fresh one by now, that goes back. */
async function breakLock(lock: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`
  if (!(await rename(lock, aside).then(() => true, gone(false)))) return
  if (!(await abandoned(aside))) await linked(aside, lock)
  await rm(aside, { force: true })
}

function ownerOf(text: string): { pid?: number; host?: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return {}
    return {
      ...('pid' in value && typeof value.pid === 'number' ? { pid: value.pid } : {}),
      ...('host' in value && typeof value.host === 'string' ? { host: value.host } : {}),
    }
  } catch {
    // Not ours to read: its age decides.
    return {}
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function content(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(gone(undefined))
}

/** For a catch: a file that is not there gives `instead`, other errors pass. */
function gone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return instead
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
