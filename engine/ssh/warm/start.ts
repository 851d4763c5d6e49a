import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { runningExtension, runningFile } from '../../config/own-copy.js'

/** The descriptor on which a holder says that it listens. */
export const ready = 3

/** The holder's program; undefined where kraft runs from its sources. */
export function holderProgram(): string | undefined {
  return runningExtension === '.js' ? runningFile('engine/ssh/warm/holder') : undefined
}

/**
 * Starts a holder that listens at a path, apart from everything of this process: its session, its terminal, its folder and all
 * that it has open. Throws where it did not come up.
 */
export async function startHolder(program: string, path: string): Promise<void> {
  const nothing = openSync('/dev/null', 'r+')
  try {
    // What a shell has open for us (a lock, a pipe) would be inherited, and whoever waits for its end would wait for the holder's.
    const inherited = Array.from({ length: Math.max(0, lastDescriptor() - ready) }, () => nothing)
    const child = spawn(process.execPath, [program, path], {
      detached: true,
      cwd: '/',
      env: environment(),
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', ...inherited],
    })
    const said = child.stdio[ready]
    if (!(said instanceof Readable)) throw new TypeError('A pipe can be read')
    const failed = once(child, 'exit').then(() => false)
    // Whoever awaits the data does not await this.
    failed.catch(() => undefined)
    const listens = await Promise.race([once(said, 'data').then(() => true), failed])
    said.destroy()
    child.unref()
    if (!listens) throw new Error('the process that keeps it did not start')
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
