import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFor } from '../connect.js'
import type { Connection } from '../connection.js'
import { hungUpEarly } from '../handshake.js'
import { Asker } from './asker.js'
import { ClientChannels, failureOf } from './client-channels.js'
import { proven } from './folder.js'
import type { FromClient, FromHolder, Greeting, Seen, Self } from './messages.js'
import { type Message, Wire } from './wire.js'

/** Milliseconds in which the server is heard of if all is well: it answers what is asked of it every five seconds. */
const fresh = 7_000

/**
 * Keeps one SSH connection for the kraft processes of one user: opens it with the credentials of the first, lends it to all,
 * and is done when it was not used for a while or the connection is lost.
 */
export class Keeper {
  #connection: Connection | undefined
  #opening: Promise<void> | undefined
  #self: Self | undefined
  #heard = 0
  #keep = 10_000
  #timer: NodeJS.Timeout | undefined
  #isDone = false
  #isLost = false
  readonly #seen: Seen[] = []
  readonly #clients = new Set<Wire>()
  readonly #borrowers = new Set<Client>()
  #alone: Client | undefined

  /** When the holder has no more to do, `hide` is called at once, and `done` when everything was closed. */
  constructor(
    readonly path: string,
    readonly hide: () => void,
    readonly done: () => void,
  ) {
    this.#rest()
  }

  /** Whether somebody is connected now. */
  get isUsed(): boolean {
    return this.#clients.size > 0
  }

  /** Serves somebody who connected to the socket. */
  accept(socket: Socket): void {
    if (this.#isDone) {
      socket.destroy()
      return
    }
    clearTimeout(this.#timer)
    let hear: (message: FromClient) => void = () => undefined
    // Both ends are this program in the same version, so that what arrives is what is sent.
    const wire = new Wire(socket, (message: Message) => hear(message as FromClient))
    const client = new Client(this, wire)
    hear = (message) => client.hear(message)
    this.#clients.add(wire)
    void wire.gone.then(() => {
      client.end()
      this.#giveBack(client)
      this.#clients.delete(wire)
      if (this.#clients.size === 0) this.#rest()
    })
  }

  /** Whose connection this is, once somebody has said so. */
  get self(): Self {
    return this.#self ?? { node: '', user: '', address: '', port: 0, pid: process.pid }
  }

  get seen(): readonly Seen[] {
    return this.#seen
  }

  /** The connection, opened with the credentials of this client unless it is open. Throws what the handshake throws. */
  async connection(greeting: Greeting, asker: Asker, note: (text: string) => void): Promise<Connection> {
    this.#keep = greeting.keep * 1000
    for (;;) {
      if (this.#connection !== undefined) return this.#connection
      // Somebody else's attempt may fail for reasons of their own, such as no terminal to ask on.
      if (this.#opening !== undefined) await this.#opening.catch(() => undefined)
      else {
        this.#opening = this.#open(greeting, asker, note)
        try {
          await this.#opening
        } finally {
          this.#opening = undefined
        }
      }
    }
  }

  /** Whether the server was heard of lately; waits for its next sign of life where it was not. */
  async isAlive(): Promise<boolean> {
    for (const until = Date.now() + fresh; Date.now() < until; await sleep(50)) {
      if (this.#isDone || this.#isLost) return false
      if (Date.now() - this.#heard < fresh) return true
    }
    return false
  }

  /** Notes a host key that a client accepted. */
  accepted(seen: Seen): void {
    this.#seen.push(seen)
  }

  /**
   * Lends the connection to a client; says no where another one uses it and one of both must be `alone`: a server grants few channels,
   * and commands that wait for each other's lock must not wait for each other's channels.
   */
  lend(client: Client, alone: boolean): boolean {
    if (this.#alone !== undefined || (alone && this.#borrowers.size > 0)) return false
    this.#borrowers.add(client)
    if (alone) this.#alone = client
    return true
  }

  /** Lets go because a client says so; who has the connection alone comes to its end first. */
  stop(by: Client): void {
    if (this.#alone === undefined || this.#alone === by) this.end()
    else {
      this.#keep = 0
      by.wire.close()
    }
  }

  #giveBack(client: Client): void {
    this.#borrowers.delete(client)
    if (this.#alone === client) this.#alone = undefined
  }

  /** Lets go of the connection and of everybody. */
  end(): void {
    if (this.#isDone) return
    this.#isDone = true
    clearTimeout(this.#timer)
    this.hide()
    for (const wire of this.#clients) wire.close()
    const closing = this.#connection?.close() ?? Promise.resolve()
    void closing.finally(this.done)
  }

  async #open({ destination, options, configFile, folder }: Greeting, asker: Asker, note: (text: string) => void): Promise<void> {
    const { name: node } = destination
    this.#self = { node, user: options.user, address: options.hostName, port: options.port, pid: process.pid }
    this.#seen.length = 0
    let isOpening = true
    // What a ProxyCommand says later is nobody's: whose it was may have ended.
    const say = (line: string): void => {
      if (isOpening) note(line)
    }
    this.#connection = await openFor(destination, {
      proxy: { folder, say },
      credentials: asker,
      options,
      note,
      ...(configFile !== undefined && { configFile }),
      lost: () => {
        this.#isLost = true
        // What ran is told first what became of it.
        setTimeout(() => this.end(), 100)
      },
      heard: () => {
        this.#heard = Date.now()
      },
    })
    this.#heard = Date.now()
    isOpening = false
  }

  #rest(): void {
    if (this.#isDone) return
    // A holder without a connection is of no use to anybody.
    this.#timer = setTimeout(() => this.end(), this.#self !== undefined && this.#connection === undefined ? 0 : this.#keep)
  }
}

/** One kraft process, as its holder sees it. */
class Client {
  readonly #asker: Asker
  #channels: ClientChannels | undefined
  #isTrusted = false

  constructor(
    readonly keeper: Keeper,
    readonly wire: Wire,
  ) {
    this.#asker = new Asker(
      (message) => this.#send(message),
      (seen) => keeper.accepted(seen),
    )
  }

  hear(message: FromClient): void {
    if (message.type === 'greet' || message.type === 'who') void this.#greet(message)
    // Nobody who did not prove who it is gets anything.
    else if (this.#isTrusted) this.#serve(message)
    else this.wire.close()
  }

  #serve(message: Exclude<FromClient, { type: 'greet' | 'who' }>): void {
    const channels = this.#channels
    if (message.type === 'answer') this.#asker.answer(message)
    else if (message.type === 'ping') this.#send({ type: 'pong' })
    else if (message.type === 'stop') this.keeper.stop(this)
    else if (message.type === 'exec') void channels?.exec(message)
    else if (message.type === 'forward') void channels?.forward(message)
    else if (message.type === 'resize') channels?.get(message.id)?.resize(message.size)
    else if (message.type === 'signal') channels?.get(message.id)?.signal(message.name)
    else channels?.close(message.id)
  }

  end(): void {
    this.#asker.end()
    this.#channels?.end()
  }

  async #greet(message: Extract<FromClient, { type: 'greet' | 'who' }>): Promise<void> {
    if (!(await proven(dirname(this.keeper.path), message.proof))) {
      this.wire.close()
      return
    }
    this.#isTrusted = true
    if (message.type === 'who') {
      this.#send({ type: 'self', self: this.keeper.self })
      return
    }
    this.#send({ type: 'welcome' })
    if (!this.keeper.lend(this, message.alone)) {
      this.#send({ type: 'busy' })
      return
    }
    try {
      const connection = await this.keeper.connection(message, this.#asker, (text) => this.#send({ type: 'note', text }))
      // One that went silent is replaced before anything is run on it.
      if (await this.keeper.isAlive()) {
        this.#channels = new ClientChannels(connection, this.wire, (each) => this.#send(each))
        this.#send({ type: 'ready', seen: this.keeper.seen })
      } else this.keeper.end()
    } catch (error) {
      this.#send({ type: 'refused', failure: failureOf(error, message.destination.name), isEarly: hungUpEarly(error) })
    }
  }

  #send(message: FromHolder): void {
    this.wire.send(message)
  }
}
