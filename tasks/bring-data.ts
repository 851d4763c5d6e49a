import type { Line } from '../engine/report/report.js'
import type { Target } from '../engine/task/context.js'
import type { Session } from '../engine/task/session.js'
import { requireInstance } from '../project/instance.js'
import type { Manifest } from '../project/manifest.js'
import { releaseId } from '../recipes/release.js'
import { collect, type Source } from './collect.js'
import { firstWebNode } from './first-node.js'
import { passOver } from './pass-over.js'
import { type Incoming, putInPlace } from './put-in-place.js'

/** Whose data are to be others, and how. */
export interface Taker extends Pick<Incoming, 'services' | 'locked' | 'reload'> {
  readonly target: Target
}

/**
 * Puts the data of an instance in the place of another's, by way of this machine, with every proof of dump and load. Whatever becomes of
 * it, neither node keeps what was on its way. Returns what was brought; undefined for a dry run, which says what it would do.
 *
 * @example const manifest = await bringData({ node, instance, services }, { target, services, reload }, session, line)
 */
export async function bringData(source: Source, taker: Taker, session: Session, line: Line): Promise<Manifest | undefined> {
  const collected = await collect(source, session, line)
  if (collected === undefined) return undefined
  const { manifest } = collected
  const id = `load-${releaseId(new Date())}`
  const way = { from: source.node, to: firstWebNode(taker.target), instance: requireInstance(taker.target), id }
  try {
    await putInPlace(
      { target: taker.target, session, line },
      { ...taker, manifest, id, arrive: (own) => passOver(collected, way, own) },
    )
  } finally {
    // It is gone once it was fetched; the connection may be what failed, and the next dump removes it then.
    await collected.remove().catch(() => undefined)
  }
  return manifest
}
