import { type Failure, isKraftError } from '../../errors/failure.js'
import type { Channel, Connection } from '../connection.js'
import { type FromClient, type FromHolder, streamsOf } from './messages.js'
import type { Wire } from './wire.js'

/** The channels that one client has on a holder's connection; they end with the client. */
export class ClientChannels {
  readonly #channels = new Map<number, Channel | undefined>()
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
      const { stdin, stdout } = streamsOf(id)
      stream.on('error', () => undefined)
      this.wire.inlet(stdin).pipe(stream)
      stream.pipe(this.wire.outlet(stdout))
      void this.wire.gone.then(() => stream.destroy())
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
  }

  /** The client is gone: what it runs gets what it would get if its connection were lost. */
  end(): void {
    this.#ended = true
    for (const channel of this.#channels.values()) channel?.close()
    this.#channels.clear()
  }
}

/** What went wrong, as it can travel. */
export function failureOf(error: unknown, node: string): Failure {
  if (isKraftError(error)) return error.failure
  return { kind: 'unreachable', node, message: error instanceof Error ? error.message : String(error) }
}
