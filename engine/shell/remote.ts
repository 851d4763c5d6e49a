import type { ChildProcess, SpawnOptions, StdioOptions } from 'node:child_process'
import type { ProcessPromise, Shell } from 'zx/core'
import type { Connection } from '../ssh/connection.js'
import { noted } from './noted.js'
import { RemoteProcess, remoteProcess, type Tie } from './remote-process.js'
import { quote } from './sh.js'

/**
 * zx's own `$`, bound to a node: each command is a real `ProcessPromise` that runs there. `wrap` makes of zx's bash text the
 * POSIX command line for the login's shell.
 *
 * A command that can't be started or loses its connection rejects with zx's ProcessOutput, whose `cause` is the KraftError.
 *
 * @example
 * const $ = await remoteShell(connection)
 * await $`cat ${file}`.pipe(local.$`gzip > log.gz`)
 */
export async function remoteShell(connection: Connection, wrap: (command: string) => string = inBash): Promise<Shell> {
  const zx = await import('zx/core')
  // p.kill() asks the $ of whoever calls it, which outside of a command is zx's default.
  const killHere = replaced.get(zx.defaults.kill) ?? zx.defaults.kill
  if (!replaced.has(zx.defaults.kill)) {
    const kill: typeof zx.kill = async (pid, signal) => {
      const remote = remoteProcess(Number(pid))
      if (remote === undefined) await killHere(pid, signal)
      else remote.kill(signal)
    }
    replaced.set(kill, killHere)
    zx.defaults.kill = kill
  }
  const options = {
    spawn: spawnOn(connection, wrap),
    spawnSync: noSync,
    kill: zx.defaults.kill,
    shell: 'bash',
    prefix: 'set -euo pipefail;',
    postfix: '',
    quote,
    quiet: true,
    verbose: false,
    detached: false,
    preferLocal: false,
  } as const
  return bind(zx.$(options), zx.ProcessPromise, connection.node, (body) =>
    zx.within(() => {
      Object.assign(zx.$, options)
      return body()
    }),
  )
}

function inBash(command: string): string {
  return `bash -c ${quote(command)}`
}

const replaced = new Map<unknown, typeof import('zx/core').kill>()

/** Sees to it that a literal behind `.pipe` runs on the node as well: $`ps`.pipe`grep web`. */
function bind(shell: Shell, Promised: typeof ProcessPromise, node: string, inside: <T>(body: () => T) => T): Shell {
  const bound = (...given: Parameters<Shell>): unknown => {
    const made: unknown = shell(...given)
    if (!(made instanceof Promised)) return typeof made === 'function' ? bind(made as Shell, Promised, node, inside) : made
    noted(made, node)
    const { pipe } = made
    const here = { stdout: pipe.stdout, stderr: pipe.stderr, stdall: pipe.stdall }
    const on = (method: typeof pipe.stdout): typeof pipe.stdout =>
      ((...to: Parameters<typeof method>) => inside(() => method(...to))) as typeof method
    const value = Object.assign(on(here.stdout), { stdout: on(here.stdout), stderr: on(here.stderr), stdall: on(here.stdall) })
    Object.defineProperty(made, 'pipe', { value, configurable: true })
    return made
  }
  return Object.assign(bound, { sync: noSync }) as Shell
}

function spawnOn(connection: Connection, wrap: (command: string) => string): typeof import('node:child_process').spawn {
  const spawn = (command: string, _words: readonly string[], { stdio, signal }: SpawnOptions): ChildProcess => {
    const child = new RemoteProcess(connection, wrap(command), ties(stdio))
    const abort = (): void => {
      if (child.kill()) child.emit('error', signal?.reason)
    }
    signal?.addEventListener('abort', abort)
    child.once('close', () => signal?.removeEventListener('abort', abort))
    if (signal?.aborted) abort()
    return child as unknown as ChildProcess
  }
  return spawn as typeof import('node:child_process').spawn
}

function ties(stdio: StdioOptions | undefined): [Tie, Tie, Tie] {
  const [stdin, stdout, stderr] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  return [tieOf(stdin), tieOf(stdout), tieOf(stderr)]
}

function tieOf(given: unknown): Tie {
  return given === 'ignore' || given === 'inherit' ? given : 'pipe'
}

function noSync(): never {
  throw new TypeError('A command on a node cannot be synchronous: await it instead')
}
