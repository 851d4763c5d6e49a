import { PassThrough } from 'node:stream'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { passBetween } from '../engine/transfer/pass.js'
import { sendStream } from '../engine/transfer/send.js'
import { passBundle } from '../project/bundle.js'
import type { Place } from '../project/service.js'
import { receiveBundle } from '../recipes/bundle.js'
import type { Collected } from './collect.js'

/** Where a bundle goes. */
export interface Way {
  readonly from: Node
  readonly to: Node
  /** Whose it becomes there. */
  readonly instance: Place
  /** The folder that it gets. */
  readonly id: string
}

/** Brings a dump from its node to another by way of this machine; what passes is proven by its manifest while it passes. */
export async function passOver({ fetch }: Collected, { from, to, instance, id }: Way, line: Line): Promise<void> {
  const through = new PassThrough()
  const { stream, proven } = await passBundle(through, `what ${from.name} sent`)
  const command = to.asRoot(receiveBundle(instance, id).text)
  await passBetween(
    (sink) => fetch(sink, line),
    (source) => sendStream(to.connection, () => source, command),
    through,
    stream,
  )
  await proven
}
