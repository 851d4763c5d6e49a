import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'ssh2'
import { isKraftError, KraftError } from '../errors/failure.js'
import type { NodeRecord } from '../node/record.js'
import type { AskedOnce } from './asked-once.js'
import { channelOf } from './channel.js'
import { type SshOptions, sshOptions } from './config.js'
import type { Channel, Connection, ExecOptions, Exit } from './connection.js'
import { type Credentials, ownCredentials } from './credentials.js'
import { type Destination, destinationOf } from './destination.js'
import { dial, dialThrough, type ProxyPlace } from './dial.js'
import { throughDoor } from './door.js'
import { Gate } from './gate.js'
import { gather } from './gather.js'
import { handshake, hungUpEarly, silence } from './handshake.js'
import { jumpDestination } from './jump.js'
import { ssh2 } from './library.js'
import type { Ask } from './question.js'

/** How to connect to a node. */
export interface ConnectOptions {
  readonly record: NodeRecord
  /** Instead of ~/.ssh/config and the system's. */
  readonly configFile?: string
  /** Puts a question to a person (a new host key, a passphrase); left out where there is no terminal. */
  readonly ask?: Ask
  /** The login's password, for nodes that take no key; left out unless a person asked for it. */
  readonly password?: AskedOnce | undefined
  /** Shows a remark to a person. */
  readonly note?: (text: string) => void
  /** Ends the connection and what waits for it. */
  readonly signal?: AbortSignal
}

/**
 * A connection to a node, opened by the first `exec`. When it is lost, what ran on it fails as `unreachable` and the next
 * `exec` opens a new one; nothing is run again by itself.
 *
 * @example
 * const connection = connect({ record })
 * const { stdout } = await connection.capture('uname -r')
 * await connection.close()
 */
export function connect({ record, ...options }: ConnectOptions): Connection {
  return new LazyConnection(destinationOf(record), options)
}

/** How to connect for somebody else: with that person's credentials, and with word of what becomes of the connection. */
export interface OpenOptions extends Omit<ConnectOptions, 'record' | 'ask'> {
  readonly credentials: Credentials
  /** The options of the destination, where they were looked up before. */
  readonly options?: SshOptions
  /** Is called when the connection was lost. */
  readonly lost?: () => void
  /** Is called whenever something arrives. */
  readonly heard?: () => void
  /** Where a ProxyCommand runs: it has no terminal there, and is tried once. */
  readonly proxy?: ProxyPlace
}

/** A connection for somebody else, opened at once. Throws as {@link Connection.exec} does. */
export async function openFor(destination: Destination, options: OpenOptions): Promise<Connection> {
  const connection = new LazyConnection(destination, options)
  await connection.ready()
  return connection
}

type How = Omit<ConnectOptions, 'record'> & Partial<OpenOptions>

const sessions = 8
/** How often to knock where sshd hangs up because too many do at once: about ten seconds. */
const attempts = 8
const remarked = new Set<string>()

interface Open {
  readonly client: Client
  readonly socket: Duplex
  readonly jump: Connection | undefined
  readonly gone: Promise<void>
  /** Why it ended, if it did. An error is made only for whoever must be told: with its stack it costs more than the farewell. */
  loss: (() => KraftError) | undefined
}

class LazyConnection implements Connection {
  readonly node: string
  readonly user: string
  readonly #channels = new Gate(sessions)
  #opening: Promise<Open> | undefined
  #closed = false
  readonly #ending = new AbortController()
  /** What ends while it is being made is given up at once. */
  readonly #signal: AbortSignal

  constructor(
    readonly destination: Destination,
    readonly how: How,
    readonly depth = 0,
  ) {
    this.node = destination.name
    this.user = destination.user ?? ''
    this.#signal = AbortSignal.any([this.#ending.signal, ...(how.signal === undefined ? [] : [how.signal])])
    how.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  async ready(): Promise<void> {
    await this.#open()
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    for (;;) {
      const leave = options.urgent ? undefined : await this.#channels.enter()
      try {
        const open = await this.#open()
        return await this.#start(open, command, options, leave)
      } catch (error) {
        leave?.()
        // The server allows fewer sessions than we took for granted: wait for one of ours to end.
        if (!(error instanceof SessionRefused)) throw error
        if (options.urgent || this.#channels.inside === 0) throw error.failure
        this.#channels.narrow(this.#channels.inside)
      }
    }
  }

  async capture(command: string, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }> {
    return gather(await this.exec(command), input)
  }

  async forward(host: string, port: number): Promise<Duplex> {
    const open = await this.#open()
    return new Promise((resolve, reject) => {
      open.client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
        if (error === undefined) resolve(stream)
        else
          reject(open.loss?.() ?? this.#unreachable(`${host} port ${port} cannot be reached from there: ${error.message}`, error))
      })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ending.abort()
    const open = await this.#opening?.catch(() => undefined)
    if (open === undefined) return
    open.loss ??= () => this.#ended()
    open.client.end()
    // The farewell goes out, and nobody waits a round trip for its answer; a peer that is gone takes not even the farewell.
    open.socket.once('finish', () => open.socket.destroy())
    const timer = setTimeout(() => open.socket.destroy(), 500)
    await open.gone
    clearTimeout(timer)
    await open.jump?.close()
  }

  #open(): Promise<Open> {
    if (this.#closed) return Promise.reject(this.#ended())
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #connect(): Promise<Open> {
    const options = await this.#options()
    if (options.strict === 'weaker')
      this.#remark(`~/.ssh/config weakens StrictHostKeyChecking for ${this.node}; kraft asks all the same`)
    const jump = this.#jump(options)
    try {
      const { client, socket } = await this.#handshake(options, jump)
      const { heard } = this.how
      if (heard !== undefined && this.depth === 0) socket.on('data', heard)
      const gone = new Promise<void>((resolve) => client.once('close', () => resolve()))
      const open: Open = { client, socket, jump, gone, loss: undefined }
      let cause: unknown
      client.on('error', (error) => {
        cause = error
      })
      client.once('close', () => {
        open.loss ??= () => this.#unreachable(`the connection was lost${why(cause)}`, cause)
        if (this.#closed) return
        this.#opening = undefined
        if (this.depth === 0) this.how.lost?.()
        void jump?.close()
      })
      return open
    } catch (error) {
      await jump?.close()
      throw error
    }
  }

  #options(): Promise<SshOptions> {
    const known = this.depth === 0 ? this.how.options : undefined
    return known === undefined ? sshOptions(this.destination, this.how.configFile) : Promise.resolve(known)
  }

  async #handshake(options: SshOptions, jump: Connection | undefined, attempt = 1): Promise<Pick<Open, 'client' | 'socket'>> {
    // The jump host takes its own place among the handshakes, before ours, else eight chains would wait for each other.
    const forwarded = await jump?.forward(options.hostName, options.port)
    try {
      const one = async () => {
        // The library loads while the server answers.
        const [socket] = await Promise.all([forwarded ?? this.#dial(options), ssh2()])
        const credentials = this.how.credentials ?? ownCredentials(this.how.ask)
        const client = await handshake({ destination: this.destination, options }, credentials, socket, {
          ...this.how,
          signal: this.#signal,
        })
        return { client, socket }
      }
      return await throughDoor(options, one)
    } catch (error) {
      const isProxyOfOthers = this.how.proxy !== undefined && options.proxyCommand !== undefined
      if (attempt === attempts || isProxyOfOthers || !hungUpEarly(error)) throw error
      // Not all at the same time again: whoever else was turned away waits as well.
      await sleep(Math.min(250 * 2 ** attempt, 2_000) * (0.5 + Math.random()), undefined, { signal: this.#signal }).catch(() => {
        throw this.#ended()
      })
      return this.#handshake(options, jump, attempt + 1)
    }
  }

  async #dial(options: SshOptions): Promise<Duplex> {
    if (options.proxyCommand === undefined)
      return dial({ ...options, node: this.node, isFenced: this.destination.isFenced }, this.#signal)
    return dialThrough(options.proxyCommand, this.how.proxy)
  }

  #jump({ jumps }: SshOptions): Connection | undefined {
    const last = jumps.at(-1)
    if (last === undefined) return undefined
    if (this.depth >= 8) throw this.#unreachable('ProxyJump goes through more than eight hosts; does it go in a circle?')
    const before = jumps.slice(0, -1)
    const how = { ...this.how, signal: this.#signal }
    return new LazyConnection(jumpDestination(last, before.length === 0 ? undefined : before), how, this.depth + 1)
  }

  #start(open: Open, command: string, { terminal }: ExecOptions, leave?: () => void): Promise<Channel> {
    const pty = terminal && { term: terminal.type, cols: terminal.columns, rows: terminal.rows, width: 0, height: 0 }
    return new Promise((resolve, reject) => {
      try {
        open.client.exec(command, pty === undefined ? {} : { pty }, (error, stream) => {
          if (error === undefined) {
            // At once: the packet that grants the channel may bring its exit as well.
            if (leave !== undefined) stream.once('close', leave)
            return resolve(channelOf(stream, () => open.loss?.()))
          }
          if (open.loss !== undefined) return reject(this.#unsure(open.loss()))
          const failure = this.#unreachable(`no command could be started: ${error.message}`, error)
          reject(/Channel open failure/.test(error.message) ? new SessionRefused(failure) : failure)
        })
      } catch (error) {
        reject(open.loss?.() ?? this.#unreachable('the connection was lost', error))
      }
    })
  }

  // Only its own word tells whether the node has begun: running it again may do it twice.
  #unsure(loss: KraftError): KraftError {
    if (loss.failure.kind !== 'unreachable') return loss
    const next = 'Look what it did there before you run it again.'
    return new KraftError(
      { ...loss.failure, message: `${loss.failure.message}; whether the command had begun is not known`, next },
      loss,
    )
  }

  #remark(text: string): void {
    if (remarked.has(text)) return
    remarked.add(text)
    this.how.note?.(text)
  }

  #ended(): KraftError {
    return this.how.signal?.aborted
      ? new KraftError({ kind: 'interrupted', message: `Interrupted the connection to ${this.node}` })
      : this.#unreachable('kraft closed the connection')
  }

  #unreachable(message: string, cause?: unknown): KraftError {
    return isKraftError(cause) ? cause : new KraftError({ kind: 'unreachable', node: this.node, message }, cause)
  }
}

function why(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  return cause.message === 'Keepalive timeout' ? `: no answer for ${silence} seconds` : `: ${cause.message}`
}

class SessionRefused extends Error {
  constructor(readonly failure: KraftError) {
    super(failure.message)
  }
}
