import { KraftError } from '../engine/errors/failure.js'
import { hasRole, type Node } from '../engine/node/node.js'
import type { Target } from '../engine/task/context.js'

/** The node that one-off commands run on: the first that serves. */
export function firstWebNode(target: Target): Node {
  const node = target.nodes.find((each) => hasRole(each, 'web'))
  if (node !== undefined) return node
  throw new KraftError({
    kind: 'usage',
    message: `No node of ${target.word} has the role web`,
    next: 'Give one the role in kraftwerk.yaml: nodes: { web: [NODE] }',
  })
}

/** As whom and where a one-off command runs, for a dry run. */
export function whereabouts({ project }: Target, node: Node): string {
  return project === undefined
    ? `as ${node.record.user} in its home`
    : `as ${project.name} in its current release, with its environment`
}

/** The nodes of a target that commands can run on: one that only balances or keeps data has no code of the project. */
export function codeNodes({ project, nodes }: Target): readonly Node[] {
  return project === undefined
    ? nodes
    : nodes.filter(({ roles }) => roles === 'every' || roles.some((role) => role !== 'balancer' && role !== 'db'))
}
