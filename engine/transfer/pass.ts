import { PassThrough, type Readable, type Writable } from 'node:stream'
import type { Node } from '../node/node.js'
import type { Meter } from './meter.js'
import { receiveStream } from './receive.js'
import { sendStream } from './send.js'

/**
 * Has bytes go from where they come to where they are taken, side by side, and throws what failed first: `fetch` writes them, `send`
 * reads them.
 */
export async function passBetween(
  fetch: (sink: Writable) => Promise<unknown>,
  send: (source: Readable) => Promise<unknown>,
  through = new PassThrough(),
  source: Readable = through,
): Promise<void> {
  const orEnd = (work: Promise<unknown>) =>
    work.catch((error: unknown) => {
      through.destroy(error instanceof Error ? error : undefined)
      throw error
    })
  const ended = await Promise.allSettled([orEnd(fetch(through)), orEnd(send(source))])
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}

/** Streams what one command of root's puts out on a node into another command of root's on another node. */
export function passCommand(from: Node, pack: string, to: Node, unpack: string, count?: Meter['count']): Promise<void> {
  return passBetween(
    (sink) => receiveStream(from.connection, from.asRoot(pack), '', sink, count),
    (source) => sendStream(to.connection, () => source, to.asRoot(unpack)),
  )
}
