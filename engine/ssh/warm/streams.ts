import { Readable, Writable } from 'node:stream'

/** Bytes that may be on their way in one stream before its reader has taken them. */
export const credit = 262_144

/** The end of a stream that is read here. `grant` tells the other end how many bytes were taken. */
export class Inlet extends Readable {
  #owed = 0

  constructor(readonly granted: (bytes: number) => void) {
    super()
  }

  /** Takes bytes that arrived. */
  accept(chunk: Buffer): void {
    // Nobody reads a stream that was destroyed, and its writer must not wait for that.
    if (this.destroyed || this.readableEnded) this.granted(chunk.length)
    else {
      this.#owed += chunk.length
      if (this.push(chunk)) this.#settle()
    }
  }

  /** No more will arrive. */
  finish(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#settle()
  }

  #settle(): void {
    if (this.#owed === 0) return
    this.granted(this.#owed)
    this.#owed = 0
  }
}

/** The end of a stream that is written here. It takes no more than its credit. */
export class Outlet extends Writable {
  #credit = credit
  #waiting: { readonly chunk: Buffer; readonly done: () => void } | undefined

  /** `sent` is called with pieces of `largest` bytes at the most, and with nothing at the end. */
  constructor(
    readonly largest: number,
    readonly sent: (chunk: Buffer | undefined) => void,
  ) {
    super()
    // Writing to what has ended is no failure of its own.
    this.on('error', () => undefined)
  }

  /** The other end took so many bytes. */
  grant(bytes: number): void {
    this.#credit += bytes
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.#flow(waiting.chunk, waiting.done)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#flow(chunk, done)
  }

  override _final(done: () => void): void {
    this.sent(undefined)
    done()
  }

  #flow(chunk: Buffer, done: () => void): void {
    let rest = chunk
    while (rest.length > 0) {
      const length = Math.min(rest.length, this.#credit, this.largest)
      if (length === 0) {
        this.#waiting = { chunk: rest, done }
        return
      }
      this.sent(rest.subarray(0, length))
      this.#credit -= length
      rest = rest.subarray(length)
    }
    done()
  }
}
