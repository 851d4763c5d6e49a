import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Release } from '../recipes/release.js'
import type { InstanceState } from '../recipes/state.js'

/**
 * Refuses a new release where a node has one whose id is not older: a rollback and whatever keeps or removes releases goes by their
 * order.
 */
export function requireNewest(
  { place, id }: Pick<Release, 'place' | 'id'>,
  nodes: readonly Pick<Node, 'name'>[],
  states: ReadonlyMap<string, InstanceState>,
): void {
  for (const { name } of nodes) {
    const newest = states.get(name)?.releases[0]
    if (newest === undefined || newest.id < id) continue
    const { by = 'somebody' } = newest.receipt
    throw new KraftError({
      kind: 'task',
      node: name,
      message: `${by} has made release ${newest.id} of ${place.name}, which is not older than this one would be (${id}): the clock there was ahead, or it was made while this one waited`,
      next: `Run the same command again, once it is later than ${newest.id} (UTC); if that is far off, go back (kraft rollback) and remove ${place.home}/releases/${newest.id} on the node`,
    })
  }
}
