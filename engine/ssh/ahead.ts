import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, Connection, ExecOptions, Exit } from './connection.js'
import { gather } from './gather.js'

/** Milliseconds that a command waits for a place before those that were started ahead give theirs up. */
const patience = 1_000

/**
 * A connection on which commands can be started before there is input for them, so that a later {@link Connection.exec} of the same
 * text costs no round trip of its own. Such a command must do nothing until its first line of input is there, and end where none
 * comes.
 *
 * @example
 * const connection = withAhead(connect({ record }))
 * connection.ahead?.('read -r name && echo "$name"')
 */
export function withAhead(connection: Connection): Connection {
  return new AheadConnection(connection)
}

class AheadConnection implements Connection {
  readonly node: string
  readonly user: string
  readonly #ahead: { readonly command: string; readonly channel: Promise<Channel | undefined> }[] = []

  constructor(readonly inner: Connection) {
    this.node = inner.node
    this.user = inner.user
  }

  get isAlone(): boolean {
    return this.inner.isAlone === true
  }

  /** This one, which from now on goes over a connection of this process. */
  get direct(): Connection | undefined {
    return this.inner.direct === undefined ? undefined : this
  }

  ahead(command: string): void {
    // Whoever needs it starts it anew, and then learns why it did not start.
    this.#ahead.push({ command, channel: this.inner.exec(command).catch(() => undefined) })
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    const index = options.terminal === undefined ? this.#ahead.findIndex((each) => each.command === command) : -1
    const [begun] = index < 0 ? [] : this.#ahead.splice(index, 1)
    return (await begun?.channel) ?? this.#inTurn(command, options)
  }

  async capture(command: string, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }> {
    return gather(await this.exec(command), input)
  }

  forward(host: string, port: number): Promise<Duplex> {
    return this.inner.forward(host, port)
  }

  async close(): Promise<void> {
    await this.inner.close()
  }

  // A server may allow few channels, and what waits for input must not keep others from running.
  async #inTurn(command: string, options: ExecOptions): Promise<Channel> {
    const started = this.inner.exec(command, options)
    if (this.#ahead.length === 0) return started
    const waited = new AbortController()
    const isStarted = await Promise.race([
      started.then(
        () => true,
        () => true,
      ),
      sleep(patience, false, { signal: waited.signal }),
    ])
    waited.abort()
    if (!isStarted) for (const { channel } of this.#ahead.splice(0)) void channel.then((each) => each?.close())
    return started
  }
}
