import type { Duplex } from 'node:stream'
import { type Failure, isKraftError } from '../../errors/failure.js'
import type { Channel, Connection } from '../connection.js'
import { type FromClient, type FromHolder, streamsOf } from './messages.js'
import type { Wire } from './wire.js'

/** The channels that one client has on a holder's connection; they end with the client. */
export class ClientChannels {
  readonly #channels = new Map<number, Channel | undefined>()
  readonly #streams = new Map<number, Duplex>()
  #ended = false

  constructor(
    readonly connection: Connection,
    readonly wire: Wire,
    readonly send: (message: FromHolder) => void,
  ) {}

  /** Runs a command and ties its streams to the client's. */
  async exec({ id, command, terminal, urgent }: Extract<FromClient, { type: 'exec' }>): Promise<void> {
    this.#channels.set(id, undefined)
    try {
      const channel = await this.connection.exec(command, { urgent, ...(terminal !== undefined && { terminal }) })
      // Whoever asked may have gone or changed its mind while the channel was opened.
      if (this.#ended || !this.#channels.has(id)) return channel.close()
      this.#channels.set(id, channel)
      const streams = streamsOf(id)
      const stdin = this.wire.inlet(streams.stdin)
      stdin.pipe(channel.stdin)
      channel.stdout.pipe(this.wire.outlet(streams.stdout))
      channel.stderr.pipe(this.wire.outlet(streams.stderr))
      this.send({ type: 'started', id })
      channel.exit
        .then(
          (exit) => this.send({ type: 'exit', id, ...exit }),
          (error: unknown) => this.send({ type: 'lost', id, failure: failureOf(error, this.connection.node) }),
        )
        .finally(() => {
          stdin.destroy()
          this.#channels.delete(id)
        })
    } catch (error) {
      this.#channels.delete(id)
      this.send({ type: 'failed', id, failure: failureOf(error, this.connection.node) })
    }
  }

  /** Opens a stream through the node. */
  async forward({ id, host, port }: Extract<FromClient, { type: 'forward' }>): Promise<void> {
    try {
      const stream = await this.connection.forward(host, port)
      // Whoever asked may have gone while it was opened.
      if (this.#ended) return drop(stream)
      this.#streams.set(id, stream)
      const { stdin, stdout } = streamsOf(id)
      const [inlet, outlet] = [this.wire.inlet(stdin), this.wire.outlet(stdout)]
      stream.on('error', () => undefined)
      stream.once('close', () => {
        this.#streams.delete(id)
        inlet.destroy()
        this.send({ type: 'exit', id, code: null, signal: null })
      })
      inlet.pipe(stream)
      stream.pipe(outlet)
      this.send({ type: 'started', id })
    } catch (error) {
      this.send({ type: 'failed', id, failure: failureOf(error, this.connection.node) })
    }
  }

  /** The channel of a number, while it is open. */
  get(id: number): Channel | undefined {
    return this.#channels.get(id)
  }

  /** Closes a channel, also one that is not open yet. */
  close(id: number): void {
    const channel = this.#channels.get(id)
    if (channel === undefined) this.#channels.delete(id)
    else channel.close()
    const stream = this.#streams.get(id)
    if (stream !== undefined) drop(stream)
  }

  /** The client is gone: what it runs gets what it would get if its connection were lost. */
  end(): void {
    this.#ended = true
    for (const channel of this.#channels.values()) channel?.close()
    this.#channels.clear()
    for (const stream of this.#streams.values()) drop(stream)
  }
}

function drop(stream: Duplex): void {
  // What nobody reads would keep it from ending.
  stream.unpipe().destroy()
  stream.resume()
}

/** What went wrong, as it can travel. */
export function failureOf(error: unknown, node: string): Failure {
  if (isKraftError(error)) return error.failure
  return { kind: 'unreachable', node, message: error instanceof Error ? error.message : String(error) }
}
