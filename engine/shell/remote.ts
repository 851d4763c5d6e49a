import type { ChildProcess, SpawnOptions, StdioOptions } from 'node:child_process'
import type { Options, ProcessPromise, Shell } from 'zx/core'
import type { Connection } from '../ssh/connection.js'
import { flowing } from './flow.js'
import { noted } from './noted.js'
import { isOptions, refuseOptions } from './options.js'
import { type Added, addedTo } from './preamble.js'
import { RemoteProcess, remoteProcess, type Tie } from './remote-process.js'
import { slots } from './secret-words.js'
import { quote } from './sh.js'

type Zx = typeof import('zx/core')
type Settings = Partial<Options>

/** What a shell on a node is made of. */
interface Where {
  readonly zx: Zx
  readonly connection: Connection
  readonly wrap: (command: string) => string
  /** By which `$.name = value` is kept in zx's own store, so that `within` confines it. */
  readonly key: symbol
}

/**
 * zx's own `$`, bound to a node: each command is a real `ProcessPromise` that runs there. `wrap` makes of zx's bash text the
 * POSIX command line for the login's shell. `cwd`, `env` and `shell` mean the node's; what only makes sense on this machine
 * (`sync`, `detached`, `preferLocal`) throws a TypeError. A {@link import('./secret.js').Secret} among the values reaches the command
 * without ever being part of a command line.
 *
 * A command that can't be started or loses its connection rejects with zx's ProcessOutput, whose `cause` is the KraftError.
 *
 * @example
 * const $ = await remoteShell(connection)
 * await $`cat ${file}`.pipe(local.$`gzip > log.gz`)
 */
export async function remoteShell(connection: Connection, wrap?: (command: string) => string): Promise<Shell> {
  return (await remoteShells(connection))(wrap)
}

/** Loads zx and gives what makes a {@link remoteShell} of a node at once. */
export async function remoteShells(connection: Connection): Promise<(wrap?: (command: string) => string) => Shell> {
  const zx = await import('zx/core')
  takeOverKill(zx)
  return (wrap = inBash) => bind({ zx, connection, wrap, key: Symbol('settings of a remote $') }, {})
}

function inBash(command: string): string {
  return `bash -c ${quote(command)}`
}

const replaced = new Map<unknown, Zx['kill']>()

// p.kill() asks the $ of whoever calls it, which outside of a command is zx's default.
function takeOverKill({ defaults }: Zx): void {
  if (replaced.has(defaults.kill)) return
  const killHere = defaults.kill
  const kill: Zx['kill'] = async (pid, signal) => {
    const remote = remoteProcess(Number(pid))
    if (remote === undefined) await killHere(pid, signal)
    else remote.kill(signal)
  }
  replaced.set(kill, killHere)
  defaults.kill = kill
}

const standard = {
  shell: 'bash',
  prefix: 'set -euo pipefail;',
  postfix: '',
  quote,
  quiet: true,
  verbose: false,
  detached: false,
  preferLocal: false,
} satisfies Settings

function bind(where: Where, own: Settings): Shell {
  const { zx, key } = where
  const settings = (): Settings => ({ ...own, ...stored(zx, key) })
  const call = (given: unknown, ...values: readonly unknown[]): unknown => {
    if (isOptions(given)) return bind(where, { ...settings(), ...refuseOptions(given) })
    return start(where, settings(), given as TemplateStringsArray, values)
  }
  return new Proxy(call, {
    get: (target, name) => {
      if (name === 'sync') return refuseOptions({ sync: true })
      const set: Readonly<Record<PropertyKey, unknown>> = { ...standard, ...settings() }
      return name in set ? set[name] : Reflect.get(target, name)
    },
    set: (_target, name, value) => {
      Reflect.set(zx.$, key, { ...stored(zx, key), ...refuseOptions({ [name]: value }) })
      return true
    },
  }) as unknown as Shell
}

function stored(zx: Zx, key: symbol): Settings {
  return Reflect.get(zx.$, key) ?? {}
}

function start(where: Where, settings: Settings, pieces: TemplateStringsArray, values: readonly unknown[]): ProcessPromise {
  const { zx, connection } = where
  const { cwd, env, ...others } = settings
  const { words, secrets, quote: quoteWord } = slots(values, settings.quote ?? quote)
  const flow = flowing()
  const added: Added = { cwd, env, secrets }
  const made = zx.$({
    ...standard,
    ...others,
    quote: quoteWord,
    store: flow.store,
    spawn: flow.watch(spawnOn(connection, where.wrap, added)),
    kill: zx.defaults.kill,
  })(pieces, ...words)
  noted(made, connection.node)
  // A literal behind .pipe runs on the node as well: $`ps`.pipe`grep web`.
  flow.attach(made, (piped, rest) => start(where, { ...settings, halt: true, signal: made.signal }, piped, rest))
  return made
}

function spawnOn(connection: Connection, wrap: (command: string) => string, added: Added): Zx['defaults']['spawn'] {
  const spawn = (command: string, _words: readonly string[], { stdio, signal, shell }: SpawnOptions): ChildProcess => {
    const { text, preamble } = addedTo(command, added, String(shell))
    const child = new RemoteProcess(connection, wrap(text), ties(stdio), preamble)
    const abort = (): void => {
      if (child.kill()) child.emit('error', signal?.reason)
    }
    signal?.addEventListener('abort', abort)
    child.once('close', () => signal?.removeEventListener('abort', abort))
    if (signal?.aborted) abort()
    return child as unknown as ChildProcess
  }
  return spawn as Zx['defaults']['spawn']
}

function ties(stdio: StdioOptions | undefined): [Tie, Tie, Tie] {
  const [stdin, stdout, stderr] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  return [tieOf(stdin), tieOf(stdout), tieOf(stderr)]
}

function tieOf(given: unknown): Tie {
  if (given === 'ignore' || given === 'inherit') return given
  if (given === 'pipe' || given === 'overlapped' || given === undefined || given === null) return 'pipe'
  throw new TypeError('On a node stdio is "pipe", "ignore" or "inherit"; for a stream or a file use .pipe(it)')
}
