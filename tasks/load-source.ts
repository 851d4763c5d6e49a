import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { Meter } from '../engine/transfer/meter.js'
import { sendStream } from '../engine/transfer/send.js'
import type { Instance } from '../project/instance.js'
import { bundleSize, type Manifest, readManifest } from '../project/manifest.js'
import { receiveBundle } from '../recipes/bundle.js'
import { findKept, openKept } from '../recipes/kept-bundle.js'
import type { BundleSource } from './bundle-source.js'

/** Where the bundle of a load comes from, and how it gets into its folder on the node. */
export interface LoadSource {
  /** For messages. */
  readonly name: string
  readonly manifest: Manifest
  /** What of it arrives. */
  readonly comes: Manifest
  /** All of it was proven before it is sent. */
  readonly isProven: boolean
  /** For a dry run, which sends nothing. */
  prove(): Promise<unknown>
  arrive(id: string, line: Line): Promise<void>
}

/** One that this machine sends. */
export function sentSource(node: Node, instance: Instance, { open, ...source }: BundleSource): LoadSource {
  return {
    ...source,
    arrive: async (id, line) => {
      const meter = new Meter(line, bundleSize(source.comes.members))
      const command = node.asRoot(receiveBundle(instance, id).text)
      await sendStream(node.connection, open, command, meter.count)
      await source.prove()
    },
  }
}

/** One that {@link import('./dump.js').dump} has left on the node: of that name, or the newest. */
export async function keptSource(node: Node, instance: Instance, wanted: string | undefined): Promise<LoadSource> {
  const [names = '', ...json] = (await node.read(findKept(instance, wanted).text)).split('\n\n')
  const kept = names.split('\n').filter((name) => name !== '')
  const name = wanted ?? kept[0]
  if (name === undefined || !kept.includes(name)) {
    throw new KraftError({
      kind: 'usage',
      message: `${node.name} keeps no bundle ${wanted === undefined ? `of ${instance.name}` : wanted}`,
      next: kept.length === 0 ? 'dump --on-node leaves one there' : `It has ${kept.join(', ')}`,
    })
  }
  const manifest = await readManifest(name, json.join('\n\n'))
  return {
    name,
    manifest,
    comes: manifest,
    isProven: false,
    prove: async () => undefined,
    arrive: async (id) => void (await node.read(openKept(instance, name, id).text)),
  }
}
