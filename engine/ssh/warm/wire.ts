import type { Duplex } from 'node:stream'
import { Inlet, Outlet } from './streams.js'

/** A note between the two ends of a {@link Wire}. */
export interface Message {
  readonly type: string
}

const kinds = { message: 0, data: 1, end: 2, credit: 3 } as const
const header = 9
/** Bytes that one frame carries at the most, so that several streams take turns. */
const largest = 32_768
const limit = 16 * 1024 * 1024

/**
 * Notes (JSON) and streams of bytes over one socket. Each stream has a credit of its own, so that one which nobody reads neither
 * stalls the others nor fills memory.
 */
export class Wire {
  readonly #inlets = new Map<number, Inlet>()
  readonly #outlets = new Map<number, Outlet>()
  #rest: Buffer = Buffer.alloc(0)
  /** Resolves when the other end is gone. */
  readonly gone: Promise<void>

  /** `hear` is told each note. */
  constructor(
    readonly socket: Duplex,
    hear: (message: Message) => void,
  ) {
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#read(chunk, hear)
      } catch {
        // Who sends what is no frame is not the other half of this program.
        socket.destroy()
      }
    })
    socket.on('error', () => undefined)
    socket.once('end', () => socket.destroy())
    this.gone = new Promise((resolve) =>
      socket.once('close', () => {
        for (const inlet of this.#inlets.values()) inlet.finish()
        for (const outlet of this.#outlets.values()) outlet.destroy()
        resolve()
      }),
    )
  }

  /** Sends a note; lost where the other end is gone. */
  send(message: Message): void {
    this.#frame(kinds.message, 0, Buffer.from(JSON.stringify(message)))
  }

  /** The stream of this number that the other end writes. */
  inlet(id: number): Inlet {
    const inlet = new Inlet((bytes) => {
      const credit = Buffer.alloc(4)
      credit.writeUInt32BE(bytes)
      this.#frame(kinds.credit, id, credit)
    })
    this.#inlets.set(id, inlet)
    inlet.once('close', () => this.#inlets.delete(id))
    if (this.socket.destroyed) inlet.finish()
    return inlet
  }

  /** The stream of this number that the other end reads. */
  outlet(id: number): Outlet {
    const outlet = new Outlet(largest, (chunk) => this.#frame(chunk === undefined ? kinds.end : kinds.data, id, chunk))
    this.#outlets.set(id, outlet)
    outlet.once('close', () => this.#outlets.delete(id))
    if (this.socket.destroyed) outlet.destroy()
    return outlet
  }

  /** Sends what was said, then hangs up. */
  close(): void {
    this.socket.end()
  }

  #frame(kind: number, id: number, payload: Buffer = Buffer.alloc(0)): void {
    if (this.socket.destroyed || this.socket.writableEnded) return
    const head = Buffer.alloc(header)
    head.writeUInt32BE(payload.length)
    head.writeUInt8(kind, 4)
    head.writeUInt32BE(id, 5)
    this.socket.cork()
    this.socket.write(head)
    if (payload.length > 0) this.socket.write(payload)
    this.socket.uncork()
  }

  #read(chunk: Buffer, hear: (message: Message) => void): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      if (this.#rest.length < header) return
      const length = this.#rest.readUInt32BE()
      if (length > limit) throw new RangeError('a frame is too long')
      if (this.#rest.length < header + length) return
      const [kind, id] = [this.#rest.readUInt8(4), this.#rest.readUInt32BE(5)]
      const payload = this.#rest.subarray(header, header + length)
      this.#rest = this.#rest.subarray(header + length)
      if (kind === kinds.message) hear(messageOf(payload))
      else if (kind === kinds.data) this.#inlets.get(id)?.accept(payload)
      else if (kind === kinds.end) this.#inlets.get(id)?.finish()
      else if (kind === kinds.credit) this.#outlets.get(id)?.grant(payload.readUInt32BE())
      else throw new RangeError('a frame of an unknown kind')
    }
  }
}

function messageOf(payload: Buffer): Message {
  const value: unknown = JSON.parse(payload.toString())
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw new TypeError('a note without a type')
  return { ...value, type: value.type }
}
