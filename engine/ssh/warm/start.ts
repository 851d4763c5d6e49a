import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { Socket } from 'node:net'
import { runningExtension, runningFile } from '../../config/own-copy.js'

/** The descriptor on which a holder says that it listens. */
export const ready = 3

/** The holder's program; undefined where kraft runs from its sources. */
export function holderProgram(): string | undefined {
  return runningExtension === '.js' ? runningFile('engine/ssh/warm/holder') : undefined
}

let spare: ChildProcess | undefined

/** Starts a holder before it is known where it is to listen. The next {@link startHolder} takes it; it ends with this process at the latest. */
export function spareHolder(program: string): void {
  spare ??= spawnHolder(program)
}

/** Ends the spare holder, if there is one: nobody will need it. */
export function dropSpare(): void {
  spare?.stdin?.end()
  spare = undefined
}

/**
 * Starts a holder that listens at a path, apart from everything of this process: its session, its terminal, its folder and all
 * that it has open. Throws where it did not come up.
 */
export async function startHolder(program: string, path: string): Promise<void> {
  const isThere =
    spare?.pid !== undefined && spare.spawnargs[1] === program && spare.exitCode === null && spare.signalCode === null
  const child = isThere && spare !== undefined ? spare : spawnHolder(program)
  spare = undefined
  const said = child.stdio[ready]
  if (!(said instanceof Socket)) throw new TypeError('A pipe is a socket')
  said.ref()
  const failed = once(child, 'exit').then(() => false)
  // Whoever awaits the data does not await this.
  failed.catch(() => undefined)
  // One that has ended meanwhile is noticed by its exit.
  child.stdin?.on('error', () => undefined).end(path)
  const listens = await Promise.race([once(said, 'data').then(() => true), failed])
  said.destroy()
  if (!listens) throw new Error('the process that keeps it did not start')
}

function spawnHolder(program: string): ChildProcess {
  const nothing = openSync('/dev/null', 'r+')
  try {
    // What a shell has open for us (a lock, a pipe) would be inherited, and whoever waits for its end would wait for the holder's.
    const inherited = Array.from({ length: Math.max(0, lastDescriptor() - ready) }, () => nothing)
    const child = spawn(process.execPath, [program], {
      detached: true,
      cwd: '/',
      env: environment(),
      stdio: ['pipe', 'ignore', 'ignore', 'pipe', ...inherited],
    })
    child.unref()
    // Whoever starts it in good time hears of it only if it is needed.
    child.on('error', () => undefined)
    // One that nobody needs does not hold this process back.
    for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref()
    return child
  } finally {
    closeSync(nothing)
  }
}

// Settings and secrets of kraft's own are none of its business; a ProxyCommand may want the rest.
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(KRAFT_|NODE_)/.test(name)))
}

function lastDescriptor(): number {
  try {
    return Math.min(1023, Math.max(ready, ...readdirSync('/dev/fd').map(Number)))
  } catch {
    return ready
  }
}
