import { dirname, join, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { KraftError } from '../../errors/failure.js'
import { type ConnectOptions, connect } from '../connect.js'
import type { Channel, Connection, ExecOptions, Exit } from '../connection.js'
import { destinationOf } from '../destination.js'
import { gather } from '../gather.js'
import { ownFolder, prove, warmFolder } from './folder.js'
import { wayTo } from './key.js'
import { knockOrStart } from './knock.js'
import { Link } from './link.js'
import { holderProgram } from './start.js'

/** How to connect by way of a holder. */
export interface WarmOptions extends ConnectOptions {
  /** Seconds that the connection stays open after its last use; 0 makes connections of this process alone. */
  readonly keep: number
  /** Nobody else uses it meanwhile; left out: others may. */
  readonly alone?: boolean
  /** The version of kraft: another version never meets this one's holders. */
  readonly version: string
  /** The holder's program, where it is not the one beside this file. */
  readonly program?: string
}

/** Each holder is a process of its own, so that a command for a whole fleet does without. */
const most = 3
let kept = 0

/**
 * As {@link connect}, over a connection that outlives this process for a while, so that the next command need not shake hands
 * again. Where that can't be had, the connection is one of this process.
 *
 * @example const connection = connectWarm({ record, keep: 60, version })
 */
export function connectWarm(options: WarmOptions): Connection {
  const program = options.program ?? holderProgram()
  const own = connect(options)
  return options.keep === 0 || program === undefined ? own : new WarmConnection(own, options, program)
}

class WarmConnection implements Connection {
  readonly node: string
  readonly user: string
  readonly #own: Connection
  #link: Promise<Link | undefined> | undefined
  #newest: Link | undefined
  #isDirect = false
  #isCounted = false
  #isClosed = false

  constructor(
    own: Connection,
    readonly options: WarmOptions,
    readonly program: string,
  ) {
    this.node = own.node
    this.user = own.user
    this.#own = own
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  get isAlone(): boolean {
    return this.options.alone === true
  }

  get direct(): Connection {
    this.#isDirect = true
    return this.#own
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    return ((await this.#linked()) ?? this.#own).exec(command, options)
  }

  async capture(command: string, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }> {
    return gather(await this.exec(command), input)
  }

  async forward(host: string, port: number): Promise<Duplex> {
    return ((await this.#linked()) ?? this.#own).forward(host, port)
  }

  async close(): Promise<void> {
    if (this.#isCounted && !this.#isClosed) kept--
    this.#isClosed = true
    // One that is only being made is given up at once.
    this.#newest?.close()
    const link = await this.#link?.catch(() => undefined)
    link?.close()
    await this.#own.close()
  }

  async #linked(): Promise<Link | undefined> {
    // A connection that was closed says so itself.
    if (this.#isDirect || this.#isClosed) return undefined
    const link = await this.#link?.catch(() => undefined)
    if (link?.isGone === true) this.#link = undefined
    this.#link ??= this.#open().catch((error: unknown) => {
      this.#link = undefined
      throw error
    })
    return this.#link
  }

  async #open(): Promise<Link | undefined> {
    if (!this.#isCounted && kept >= most) return undefined
    if (!this.#isCounted) kept++
    this.#isCounted = true
    const { record, keep, version, ask, note = () => undefined } = this.options
    const configFile = this.options.configFile === undefined ? undefined : resolve(this.options.configFile)
    const destination = destinationOf(record)
    const { options, key, hasProxy } = await wayTo(destination, configFile, version)
    const folder = warmFolder()
    if (folder === undefined) return this.#goWithout('the path of its socket would be too long')
    try {
      await ownFolder(folder)
      const path = join(folder, `${key}.sock`)
      // A holder that ends just now is followed by a new one; nothing was run before it said that it is ready.
      for (let attempt = 0; attempt < 3 && !this.#isClosed; attempt++) {
        const socket = await knockOrStart(path, this.program)
        if (socket === undefined) continue
        const link = new Link(record.name, socket, ask, note)
        this.#newest = link
        const greeted = await link.greet({
          type: 'greet',
          proof: await prove(dirname(path)),
          keep,
          destination,
          options,
          configFile,
          folder: process.cwd(),
          alone: this.isAlone,
        })
        if (greeted.kind === 'ready') return link
        link.close()
        if (greeted.kind === 'busy') return undefined
        // A ProxyCommand that asks something has a terminal in this process.
        if (greeted.kind === 'refused' && greeted.isEarly && hasProxy)
          return this.#goWithout('its ProxyCommand does not connect without a terminal')
        if (greeted.kind === 'refused') throw new KraftError(greeted.failure)
        if (greeted.kind === 'stuck') return this.#goWithout('the process that keeps it does not answer')
      }
      return this.#isClosed ? undefined : this.#goWithout('the process that keeps it ends at once')
    } catch (error) {
      if (error instanceof KraftError) throw error
      return this.#goWithout(error instanceof Error ? error.message : String(error))
    }
  }

  #goWithout(why: string): undefined {
    this.options.note?.(`${this.node}: no connection is kept for the next command: ${why}`)
    return undefined
  }
}
