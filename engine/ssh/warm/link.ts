import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type Failure, KraftError } from '../../errors/failure.js'
import type { Channel, ExecOptions, Exit } from '../connection.js'
import { ownCredentials } from '../credentials.js'
import type { Ask } from '../question.js'
import { Answers } from './answers.js'
import { type FromClient, type FromHolder, type Greeting, type Seen, streamsOf } from './messages.js'
import { Wire } from './wire.js'

/** Milliseconds after which a holder that says nothing is not waited for. */
const hello = 2_000
const beat = 5_000
const silence = 15_000

/** What became of a greeting: the holder lends its connection, its handshake failed, or there is no holder to speak to. */
export type Greeted =
  | { readonly kind: 'ready' }
  /** `isEarly`: the other side hung up before it said its name. */
  | { readonly kind: 'refused'; readonly failure: Failure; readonly isEarly: boolean }
  /** Somebody else uses it, and one of both must be alone. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'stuck' }

interface Running {
  readonly settle: (end: Exit | KraftError) => void
}

/** The client's end of a holder's connection. */
export class Link {
  readonly #wire: Wire
  readonly #answers: Answers
  readonly #starting = new Map<number, (failure: Failure | undefined) => void>()
  readonly #running = new Map<number, Running>()
  #greeted: ((greeted: Greeted) => void) | undefined
  #isWelcome = false
  #isGone = false
  #heard = Date.now()
  #last = 0
  #beat: NodeJS.Timeout | undefined

  constructor(
    readonly node: string,
    readonly socket: Socket,
    ask: Ask | undefined,
    readonly note: (text: string) => void,
  ) {
    this.#answers = new Answers(ask)
    this.#wire = new Wire(socket, (message) => {
      this.#heard = Date.now()
      // Both ends are this program in the same version, so that what arrives is what is sent.
      this.#hear(message as FromHolder)
    })
    void this.#wire.gone.then(() => this.#gone())
  }

  /** Whether the holder hung up. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Says who we are and waits for the connection; answers what its handshake asks. */
  async greet(greeting: Greeting): Promise<Greeted> {
    const timer = setTimeout(() => {
      if (!this.#isWelcome) this.#greeted?.({ kind: 'stuck' })
    }, hello)
    const greeted = await new Promise<Greeted>((resolve) => {
      this.#greeted = resolve
      if (this.#isGone) resolve({ kind: 'gone' })
      this.#send(greeting)
    })
    clearTimeout(timer)
    this.#greeted = undefined
    return greeted
  }

  /** Starts a command. Throws `unreachable`; what was sent is never sent again. */
  async exec(command: string, { terminal, urgent = false }: ExecOptions): Promise<Channel> {
    const id = ++this.#last
    const numbers = streamsOf(id)
    const [stdin, stdout, stderr] = [
      this.#wire.outlet(numbers.stdin),
      this.#wire.inlet(numbers.stdout),
      this.#wire.inlet(numbers.stderr),
    ]
    // Before anything is sent: the news of a command's start may bring that of its end.
    const exit = new Promise<Exit>((resolve, reject) => {
      let end: Exit | KraftError | undefined
      let open = 2
      const closed = (): void => {
        if (end === undefined || open > 0) return
        this.#running.delete(id)
        stdin.destroy()
        if (end instanceof KraftError) reject(end)
        else resolve(end)
      }
      for (const stream of [stdout, stderr])
        stream.once('close', () => {
          open--
          closed()
        })
      const settle: Running['settle'] = (value) => {
        end ??= value
        closed()
      }
      this.#running.set(id, { settle })
    })
    // Whoever drops a channel does not wait for its exit, and that must not count as an unhandled rejection.
    exit.catch(() => undefined)
    try {
      await this.#start(id, { type: 'exec', id, command, urgent, ...(terminal !== undefined && { terminal }) })
    } catch (error) {
      this.#running.delete(id)
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
      throw error
    }
    return {
      stdin,
      stdout,
      stderr,
      exit,
      resize: (size) => this.#send({ type: 'resize', id, size }),
      signal: (name) => this.#send({ type: 'signal', id, name }),
      close: () => {
        this.#send({ type: 'close', id })
        stdout.resume()
        stderr.resume()
      },
    }
  }

  /** A stream to `host:port` as seen from the node. */
  async forward(host: string, port: number): Promise<Duplex> {
    const id = ++this.#last
    const { stdin, stdout } = streamsOf(id)
    const stream = Duplex.from({ writable: this.#wire.outlet(stdin), readable: this.#wire.inlet(stdout) })
    stream.on('error', () => undefined)
    // Whoever writes to what is closed there would wait for ever.
    const settle: Running['settle'] = () =>
      void (stream.readableEnded ? stream.destroy() : stream.once('end', () => stream.destroy()))
    this.#running.set(id, { settle })
    stream.once('close', () => {
      this.#running.delete(id)
      this.#send({ type: 'close', id })
    })
    try {
      await this.#start(id, { type: 'forward', id, host, port })
    } catch (error) {
      stream.destroy()
      throw error
    }
    return stream
  }

  // By what is known now, without asking anybody: a key may have been revoked since the connection was made.
  async #isTrusted(seen: readonly Seen[]): Promise<boolean> {
    const credentials = ownCredentials(undefined)
    for (const each of seen) {
      if ((await credentials.verify(each, Buffer.from(each.blob, 'base64'))) !== undefined) return false
    }
    return true
  }

  /** Ends the holder, with all that runs on its connection. */
  async stop(): Promise<void> {
    this.#send({ type: 'stop' })
    await this.#wire.gone
  }

  /** Gives the connection back. */
  close(): void {
    clearInterval(this.#beat)
    this.#wire.close()
    this.socket.unref()
  }

  #hear(message: FromHolder): void {
    if (message.type === 'welcome') this.#welcome()
    else if (message.type === 'busy') this.#greeted?.({ kind: 'busy' })
    else if (message.type === 'question') void this.#answer(message)
    else if (message.type === 'note') this.note(message.text)
    else if (message.type === 'ready') void this.#ready(message.seen)
    else if (message.type === 'refused') this.#greeted?.({ kind: 'refused', failure: message.failure, isEarly: message.isEarly })
    else if (message.type === 'started') this.#started(message.id, undefined)
    else if (message.type === 'failed') this.#started(message.id, message.failure)
    else if (message.type === 'exit') this.#running.get(message.id)?.settle({ code: message.code, signal: message.signal })
    else if (message.type === 'lost') this.#running.get(message.id)?.settle(new KraftError(message.failure))
  }

  async #ready(seen: readonly Seen[]): Promise<void> {
    // What this process has just accepted need not be looked up again.
    const isOwn = this.#answers.accepted.length > 0
    const isTrusted = isOwn || (await this.#isTrusted(seen))
    if (!isTrusted) await this.stop()
    this.#greeted?.({ kind: isTrusted ? 'ready' : 'gone' })
  }

  async #answer({ id, about, ask }: Extract<FromHolder, { type: 'question' }>): Promise<void> {
    // Keys sign for the handshake that this process waits for and for nothing else.
    if (this.#greeted === undefined) return
    await this.#answers.answer(about, ask).then(
      (value) => this.#send({ type: 'answer', id, value }),
      (error: unknown) => this.#send({ type: 'answer', id, error: error instanceof Error ? error.message : String(error) }),
    )
  }

  #start(id: number, message: FromClient): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#starting.set(id, (failure) => (failure === undefined ? resolve() : reject(new KraftError(failure))))
      if (this.#isGone) this.#started(id, this.#lost().failure)
      else this.#send(message)
    })
  }

  #started(id: number, failure: Failure | undefined): void {
    this.#starting.get(id)?.(failure)
    this.#starting.delete(id)
  }

  #gone(): void {
    this.#isGone = true
    clearInterval(this.#beat)
    this.#greeted?.({ kind: 'gone' })
    for (const id of this.#starting.keys()) this.#started(id, this.#lost().failure)
    for (const { settle } of this.#running.values()) settle(this.#lost())
  }

  // A holder that hangs must not look like a person who takes time to answer, nor like a command that does.
  #welcome(): void {
    this.#isWelcome = true
    let before = Date.now()
    this.#beat = setInterval(() => {
      const now = Date.now()
      // Who was asleep has not listened: what was said meanwhile is read before anybody is given up.
      if (now - before > 2 * beat) this.#heard = now
      before = now
      if (now - this.#heard > silence) this.socket.destroy()
      else this.#send({ type: 'ping' })
    }, beat)
    this.#beat.unref()
  }

  #lost(): KraftError {
    return new KraftError({ kind: 'unreachable', node: this.node, message: 'the connection was lost' })
  }

  #send(message: FromClient): void {
    this.#wire.send(message)
  }
}
