import type { Writable } from 'node:stream'
import type { Node } from '../engine/node/node.js'
import { size } from '../engine/report/progress-text.js'
import type { Line } from '../engine/report/report.js'
import type { Session } from '../engine/task/session.js'
import { Meter } from '../engine/transfer/meter.js'
import { receiveStream } from '../engine/transfer/receive.js'
import type { Instance } from '../project/instance.js'
import { bundleSize, type Manifest, manifestOf } from '../project/manifest.js'
import {
  type DataService,
  describeMembers,
  dumpMembers,
  type Frozen,
  readMembers,
  removeBundle,
  streamBundle,
} from '../recipes/bundle.js'
import { keepBundle, keptBundle } from '../recipes/kept-bundle.js'
import { releaseId } from '../recipes/release.js'
import { ownRelease } from './current-release.js'

/** Whose data are dumped, and which. */
export interface Source {
  readonly node: Node
  readonly instance: Instance
  readonly services: readonly DataService[]
  /** Stops writers for that long. */
  readonly frozen?: Frozen | undefined
  /** It is to stay on its node, which then has all of it twice for a moment. */
  readonly stays?: boolean
}

/** A dump that lies on its node. */
export interface Collected {
  readonly manifest: Manifest
  /** Hands the bundle over, once; then the node has nothing of it. */
  fetch(sink: Writable, line: Line): Promise<void>
  /** Has it stay on its node as one file, whose path it returns. */
  stay(): Promise<string>
  /** Takes it from the node where nobody fetched it. */
  remove(): Promise<void>
  /** For the line that fetches it. */
  readonly title: string
}

/** Has a node write all data of an instance, and says what is in it. A dry run says what it would do; undefined then. */
export async function collect(
  { node, instance, services, frozen, stays = false }: Source,
  session: Session,
  line: Line,
): Promise<Collected | undefined> {
  const id = releaseId(new Date())
  const release = await ownRelease(node, instance)
  const steps = dumpMembers(instance, id, services, frozen, stays ? 2 : 1)
  const remove = async () => void (await node.apply('Remove the dump', removeBundle(instance, id), line))
  try {
    await line.list([{ title: 'Dump', run: async (own) => void (await node.apply('Dump', steps, own)) }])
  } catch (error) {
    // The connection may be what failed; the next dump removes it then.
    await remove().catch(() => undefined)
    throw error
  }
  if (session.flags.dryRun) return undefined
  const members = readMembers(await node.read(describeMembers(instance, id, services).text))
  const manifest = manifestOf(instance, { kraft: session.version, release, time: new Date().toISOString(), members })
  const bytes = bundleSize(members)
  const head = `${JSON.stringify(manifest, null, 2)}\n`
  return {
    manifest,
    title: `Fetch ${size(bytes)}`,
    remove,
    fetch: async (sink, own) =>
      receiveStream(
        node.connection,
        node.asRoot(streamBundle(instance, id, services).text),
        head,
        sink,
        new Meter(own, bytes).count,
      ),
    stay: async () => {
      try {
        await node.read(keepBundle(instance, id, services).text, head)
      } catch (error) {
        await remove().catch(() => undefined)
        throw error
      }
      return keptBundle(instance, id)
    },
  }
}
