import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../../engine/errors/failure.js'
import type { Requirements } from '../../project/requirements.js'
import { makeVirtualenv } from '../../project/virtualenv.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The virtualenv of a project: `.venv` or `venv` in its folder, else the one that the shell has entered; undefined where there is none.
 *
 * @example findVirtualenv('/home/ada/shop', process.env.VIRTUAL_ENV) // '/home/ada/shop/.venv'
 */
export function findVirtualenv(folder: string, entered: string | undefined): string | undefined {
  const known = [join(folder, '.venv'), join(folder, 'venv'), ...(entered === undefined || entered === '' ? [] : [entered])]
  return known.find((path) => existsSync(join(path, 'bin/python')))
}

/** Makes `.venv` with what a project requires. Throws `task` where that fails, and leaves nothing then. */
export async function newVirtualenv(folder: string, { sources, text }: Requirements): Promise<string> {
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  for (const signal of signals) process.on(signal, stop)
  const [only, ...others] = sources
  const made = await makeVirtualenv(folder, stopped.signal, only === 'requirements.txt' && others.length === 0 ? undefined : text)
  for (const signal of signals) process.off(signal, stop)
  if ('by' in made) return join(folder, '.venv')
  if (stopped.signal.aborted) throw new KraftError({ kind: 'interrupted', message: 'Interrupted; no .venv was made' })
  throw new KraftError({ kind: 'task', message: `No .venv could be made: ${made.problem}`, next: `By hand: ${made.next}` })
}
