import type { Writable } from 'node:stream'

/**
 * Makes a stream send together what is written to it in one turn of the event loop. ssh2 writes a packet in three parts, which
 * without Nagle's delay are three system calls here, and wake the other side three times.
 *
 * @example const socket = together(connect({ host, port, noDelay: true }))
 */
export function together<Stream extends Writable>(stream: Stream): Stream {
  const { write } = stream
  let isHeld = false
  return Object.assign(stream, {
    write(...args: readonly unknown[]): boolean {
      if (!isHeld) {
        isHeld = true
        stream.cork()
        process.nextTick(() => {
          isHeld = false
          stream.uncork()
        })
      }
      return Reflect.apply(write, stream, args)
    },
  })
}
