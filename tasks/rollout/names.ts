import { KraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { Place } from '../../project/service.js'
import { tolerance } from '../../recipes/clock.js'
import { nextId, releaseId, releaseTime } from '../../recipes/release.js'
import type { InstanceState } from '../../recipes/state.js'

/** Nodes whose locks are held, and what each was then: nobody else makes a release there meanwhile. */
interface Locked {
  readonly nodes: readonly Pick<Node, 'name'>[]
  readonly states: ReadonlyMap<string, InstanceState>
}

// The clocks of two machines that deploy may each be so far away from a node's. Milliseconds.
const ahead = 2 * tolerance * 1000

/**
 * The id of a new release of a deploy that `began` then, for whoever holds the locks: newer than all on the nodes, because a rollback and
 * whatever keeps or removes releases goes by their order. Throws `task` where one is there from a time that is yet to come.
 */
export function newRelease(place: Place, { nodes, states }: Locked, began: Date, now = new Date()): string {
  const newest = nodes.flatMap(({ name }) => {
    const first = states.get(name)?.releases.find((each) => !Number.isNaN(releaseTime(each.id).getTime()))
    return first === undefined ? [] : [{ name, ...first }]
  })
  const id = nextId(began, [...newest.map((each) => each.id), ...generations({ nodes, states })])
  if (releaseTime(id).getTime() - now.getTime() <= ahead) return id
  const [last] = newest.toSorted((one, other) => (one.id < other.id ? 1 : -1))
  const { name = '', id: theirs = '', receipt } = last ?? {}
  throw new KraftError({
    kind: 'task',
    node: name,
    message: `${receipt?.by ?? 'somebody'} has made release ${theirs} of ${place.name}, which is not older than this one would be (${releaseId(began)}): the clock there was ahead`,
    next: `Go back (kraft rollback), and remove ${place.home}/releases/${theirs} on the node, then run the same command again`,
  })
}

/** The id of new processes of a release that is there: no others have it, also where those began in the same second. */
export function newGeneration(locked: Locked, now = new Date()): string {
  return nextId(now, generations(locked))
}

// Their sockets and services are called by these.
function generations({ nodes, states }: Locked): readonly string[] {
  return nodes.flatMap(({ name }) => {
    const { current, rollout } = states.get(name) ?? {}
    return [current?.generation ?? [], rollout?.generation ?? []].flat()
  })
}
