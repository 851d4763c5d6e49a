import { KraftError } from '../../engine/errors/failure.js'
import { didYouMean } from '../../engine/errors/nearest.js'
import type { Node } from '../../engine/node/node.js'
import type { NodeRecord } from '../../engine/node/record.js'
import type { Target } from '../../engine/task/context.js'
import type { Session } from '../../engine/task/session.js'
import { type Instance, requireInstance } from '../../project/instance.js'
import { onNodes } from '../../project/other-nodes.js'

/** From where to where an instance moves. */
export interface Way {
  /** As it was typed: `live`. */
  readonly word: string
  readonly from: Node
  /** The instance where it is. */
  readonly instance: Instance
  readonly to: NodeRecord
  /** The instance where it will be. */
  readonly moved: Instance
  /** Seconds for which requests wait at the most. */
  readonly pause: number
}

/** The node that is moved to, connected anew where something has ended its connection. */
export const newNode = ({ to, moved }: Way, session: Session): Node =>
  session.connect(to, moved.settings.nodes.find(({ name }) => name === to.name)?.roles ?? 'every')

/** What stands behind the colon, as it will be. */
export const newTarget = (way: Way, session: Session, project: Instance = way.moved): Target => ({
  word: way.word,
  nodes: [newNode(way, session)],
  project,
})

/** The way of all of an environment to another node; undefined where it is there already. Throws `usage` and `setting`. */
export async function wayTo(target: Target, to: string, pause: number, session: Session): Promise<Way | undefined> {
  const instance = requireInstance(target)
  const { nodes } = instance.settings
  const [node, ...others] = target.nodes
  if (instance.environment === undefined || node === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: 'move needs an environment: kraftwerk.yaml then says on which node it is',
      next: `Add one, for example: environments: { live: { nodes: [${target.word}] } }`,
    })
  }
  if (others.length > 0 || nodes.length > 1) {
    throw new KraftError({
      kind: 'usage',
      message: `${target.word} is on ${nodes.length} nodes (${nodes.map(({ name }) => name).join(', ')}), and move takes all of an environment from one node to one other`,
      next: 'To replace a web node of several, add the new one in kraftwerk.yaml, deploy, and take the old one out',
    })
  }
  const record = await recordOf(session, to)
  if (record.name === node.name) return undefined
  const moved = onNodes(
    instance,
    nodes.map((each) => ({ ...each, name: to })),
  )
  return { word: instance.environment, from: node, instance, to: record, moved, pause }
}

/** A node that is remembered. Throws `usage` where there is none of that name. */
export async function recordOf(session: Session, name: string): Promise<NodeRecord> {
  const inventory = await session.inventory()
  const record = inventory.get(name)
  if (record !== undefined) return record
  const names = inventory.all().map((each) => each.name)
  throw new KraftError({
    kind: 'usage',
    message: `There is no node "${name}".${didYouMean(name, names)}`,
    next: `Make it: kraft provision ${name}`,
  })
}
