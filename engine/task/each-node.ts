import type { Node } from '../node/node.js'
import type { Line } from '../report/report.js'
import { expectNodes, noteNode, statusOf } from './node-ends.js'
import type { Session } from './session.js'
import { spreadOut } from './spread.js'

/** What a body gave back on a node. */
export interface OnNode<T> {
  /** The node. */
  readonly node: Node
  /** What the body returned there. */
  readonly value: T
}

/** How {@link eachNode} works. */
export interface EachNodeOptions<T> {
  /** How many at once where the command line says nothing; all if left out. */
  readonly parallel?: number | boolean | undefined
  /** Filled while it goes on, so that it tells what the others did where some fail. */
  readonly values?: Map<Node, T>
}

/**
 * Does the same on several nodes that do not depend on each other, below a line: as many at once, and in such batches, as the
 * command line says, and notes for the summary how each ended. The results come in the order of the nodes.
 *
 * @throws KraftError `several` where it failed on some nodes, after the others ended.
 * @example const sizes = await eachNode(session, target.nodes, line, (node) => node.read('du -s /web'))
 */
export async function eachNode<T>(
  session: Session,
  nodes: readonly Node[],
  line: Line,
  run: (node: Node, line: Line) => Promise<T>,
  { parallel = true, values = new Map() }: EachNodeOptions<T> = {},
): Promise<readonly OnNode<T>[]> {
  expectNodes(session, nodes)
  const one = async (node: Node, own: Line) => {
    try {
      values.set(node, await run(node, own))
      noteNode(session, node.name, 'ok')
    } catch (error) {
      noteNode(session, node.name, statusOf(error))
      throw error
    }
  }
  const [only] = nodes
  // One node needs no level of its own in the list.
  if (nodes.length === 1 && only !== undefined) await one(only, line)
  else {
    await spreadOut(
      (items, options) => line.list(items, options),
      nodes.map((node) => ({
        title: node.name,
        run: (own) => one(node, own),
        notRun: () => noteNode(session, node.name, 'not run'),
      })),
      session.spread ?? {},
      parallel,
    )
  }
  return [...values].map(([node, value]) => ({ node, value })).sort((a, b) => nodes.indexOf(a.node) - nodes.indexOf(b.node))
}
