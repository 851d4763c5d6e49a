import type { Node } from '../../engine/node/node.js'
import { lockNode } from '../../engine/node/node-lock.js'
import type { Item, Line } from '../../engine/report/report.js'
import { expectNodes, noteNode } from '../../engine/task/node-ends.js'
import { parseState, readState } from '../../recipes/state.js'
import { onEach, type Rollout } from './rollout.js'
import { whoAmI } from './switch.js'

/** Looks at all nodes and takes their locks before any change; where that fails, nothing ran on any node. */
export async function begin(
  rollout: Rollout,
  line: Line,
  check: (node: Node, line: Line) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const { nodes, session } = rollout
  expectNodes(session, nodes)
  try {
    await line.list(beginning(rollout, check))
  } catch (error) {
    for (const { name } of nodes) noteNode(session, name, 'not run')
    throw error
  }
}

function beginning(rollout: Rollout, check: (node: Node, line: Line) => Promise<unknown>): readonly Item[] {
  const [only] = rollout.nodes
  if (only !== undefined && rollout.nodes.length === 1) {
    // Side by side, which saves a round trip; what the check found says more than that there is no lock to be had.
    const both = async (line: Line) => {
      const [checked, locked] = await Promise.allSettled([check(only, line), takeLock(rollout, only)])
      for (const result of [checked, locked]) if (result.status === 'rejected') throw result.reason
    }
    return [{ title: 'Check and lock', run: both }]
  }
  return [onEach(rollout, 'Check the node', check), lock(rollout)]
}

/** Takes the instance's lock on all nodes, in the order of their names, so that two deploys never wait for each other. */
export function lock(rollout: Rollout): Item {
  return {
    title: 'Lock',
    run: async (line) => {
      if (rollout.session.flags.dryRun) line.skip('a dry run changes nothing')
      for (const node of [...rollout.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) await takeLock(rollout, node)
    },
  }
}

// What the node serves is read under the lock: a deploy that switched in between would have its processes drained as the old ones.
async function takeLock(rollout: Rollout, node: Node): Promise<void> {
  const { instance } = rollout.application
  const look = readState(instance)
  if (rollout.session.flags.dryRun) {
    rollout.states.set(node.name, parseState(await node.read(look.text)))
    return
  }
  const held = await lockNode(node, instance.name, whoAmI(), look)
  rollout.locks.set(node.name, held)
  rollout.states.set(node.name, parseState(held.said))
  rollout.session.onEnd(() => held.release())
}
