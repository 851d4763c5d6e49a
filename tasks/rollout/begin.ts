import { setTimeout as sleep } from 'node:timers/promises'
import { KraftError } from '../../engine/errors/failure.js'
import { factsRow, parseFacts } from '../../engine/node/facts.js'
import type { Node } from '../../engine/node/node.js'
import type { Item, Line } from '../../engine/report/report.js'
import { lines, type Sh } from '../../engine/shell/sh.js'
import { expectScript } from '../../engine/step/apply.js'
import { expectNodes, noteNode } from '../../engine/task/node-ends.js'
import { serves } from '../../recipes/followers.js'
import { memory } from '../../recipes/memory.js'
import { parseState, readState } from '../../recipes/state.js'
import { holdLock } from '../hold-lock.js'
import { isMove } from '../moving-now.js'
import type { StepsPart } from './parts.js'
import { onEach, type Rollout } from './rollout.js'

/** What a change needs to begin; not only a rollout takes the lock. */
export type Begun = Pick<Rollout, 'nodes' | 'session' | 'locks' | 'states'> & {
  readonly application: Pick<Rollout['application'], 'instance'>
  /** It is meant for a node that the instance has moved away from as well. */
  readonly everywhere?: boolean
  /** What else is read there under the lock, in the same round trip. */
  readonly also?: { readonly look: Sh; hear(node: Node, said: string): void }
}

/** For {@link Begun.also}, where what is to come needs the facts of the nodes. */
export const withFacts: NonNullable<Begun['also']> = {
  look: factsRow,
  hear: (node, said) => node.know(parseFacts(node.name, said)),
}

/** Begins to connect, and to have the nodes ready for a first script, while this machine works out what that is. */
export function reachFor(nodes: readonly Node[]): void {
  for (const { connection } of nodes) expectScript(connection)
}

/** Looks at all nodes and takes their locks before any change; where that fails, nothing ran on any node. */
export async function begin(rollout: Begun, line: Line, check?: (node: Node, line: Line) => Promise<unknown>): Promise<void> {
  const { nodes, session } = rollout
  expectNodes(session, nodes)
  try {
    await line.list(beginning(rollout, check))
    if (rollout.everywhere !== true && !isMove(session)) for (const node of nodes) refuseMoved(rollout, node)
  } catch (error) {
    for (const { name } of nodes) noteNode(session, name, 'not run')
    throw error
  }
}

// Somebody's kraftwerk.yaml is older than the move: what starts here would do twice what the other node does.
function refuseMoved({ application: { instance }, states }: Begun, node: Node): void {
  const to = states.get(node.name)?.moved
  if (to === undefined) return
  const word = instance.environment ?? node.name
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `${instance.name} has moved from here to ${to}, and kraftwerk.yaml still names ${node.name}`,
    next: `Have it name ${to} (git pull?), or move it back from there: kraft move:${word} --to ${node.name}. If ${to} is lost, kraft start:${word} serves here again what was there when it moved`,
  })
}

/**
 * What is looked at before new processes of a release that is there start: `check` on several nodes for {@link begin}, before any of
 * them changes. A lone node finds it out by `parts` at the head of the script that starts them, which saves round trips.
 */
export function roomBeside({ application: { instance }, nodes }: Rollout) {
  const title = 'Check the node'
  const steps = (node: Node) => (serves(node) ? memory(instance, instance.settings.workers) : [])
  const check = async (node: Node, line: Line): Promise<void> => {
    if (!serves(node)) return
    // What comes of it is a script as well.
    expectScript(node.connection)
    await node.apply(title, steps(node), line)
  }
  const part: StepsPart = { title, chapter: 'Prepare', looks: true, steps }
  return nodes.length > 1 ? { check, parts: [] } : { check: undefined, parts: [part] }
}

function beginning(rollout: Begun, check: ((node: Node, line: Line) => Promise<unknown>) | undefined): readonly Item[] {
  const [only] = rollout.nodes
  if (check === undefined) return [lock(rollout)]
  if (only !== undefined && rollout.nodes.length === 1) {
    // Side by side, which saves a round trip; what the check found says more than that there is no lock to be had. It waits for scripts
    // of whoever has the lock, though, and who that is must be said before.
    const both = async (line: Line) => {
      const checked = check(only, line)
      checked.catch(() => undefined)
      const locked = takeLock(rollout, only, line)
      const [held] = await Promise.allSettled([locked])
      if (held.status === 'rejected') await Promise.race([checked, sleep(1000, undefined, { ref: false })])
      await Promise.all([checked, locked])
    }
    return [{ title: 'Check and lock', run: both }]
  }
  return [lock(rollout), onEach(rollout, 'Check the node', check)]
}

/** Takes the instance's lock on all nodes, in the order of their names, so that two deploys never wait for each other. */
export function lock(rollout: Begun): Item {
  return {
    title: 'Lock',
    run: async (line) => {
      if (rollout.session.flags.dryRun) line.skip('a dry run changes nothing')
      for (const node of [...rollout.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) await takeLock(rollout, node, line)
    },
  }
}

// What the node serves is read under the lock: a deploy that switched in between would have its processes drained as the old ones.
async function takeLock(rollout: Begun, node: Node, line: Line): Promise<void> {
  const { instance } = rollout.application
  const look = lines(readState(instance), rollout.also?.look)
  const heard = (said: string) => {
    rollout.states.set(node.name, parseState(said))
    rollout.also?.hear(node, said)
  }
  if (rollout.session.flags.dryRun) return heard(await node.read(look.text))
  const held = await holdLock(rollout.session, node, instance.name, line, look)
  rollout.locks.set(node.name, held)
  heard(held.said)
}
