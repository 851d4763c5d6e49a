import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { register } from '../engine/shell/redact.js'
import { isSecretive } from '../engine/shell/secretive.js'
import type { Target } from '../engine/task/context.js'
import type { Variables } from '../project/assignments.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { describeEnviron, type KeptEnviron, readEnviron } from '../recipes/environ.js'
import { releaseNodes } from '../recipes/followers.js'

/** What is kept of an instance on one of its nodes. */
export interface KeptOn extends KeptEnviron {
  readonly node: Node
}

/** The nodes of a target that run its instance. Throws `usage` where there are none. */
export function instanceNodes(target: Target): readonly Node[] {
  const nodes = releaseNodes(requireInstance(target), target.nodes)
  if (nodes.length > 0) return nodes
  throw new KraftError({
    kind: 'usage',
    message: `No node of ${target.word} has the role web`,
    next: 'Give one the role in kraftwerk.yaml: nodes: { web: [NODE] }',
  })
}

/** Asks all nodes for what is kept there, whose values nothing prints from then on. Throws `task` where the name is somebody else's. */
export async function readKept(instance: Instance, nodes: readonly Node[]): Promise<readonly KeptOn[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const kept = readEnviron(instance, await node.read(describeEnviron(instance).text))
      registerVariables(kept.variables)
      registerVariables(kept.used)
      if (kept.owner === undefined || kept.owner === instance.owner) return { node, ...kept }
      throw new KraftError({
        kind: 'task',
        node: node.name,
        message: `${instance.name} belongs to another project or environment there: "${kept.owner}" (this is "${instance.owner}")`,
        next: `Give this one a name of its own in kraftwerk.yaml, for example:  name: ${instance.name}-2`,
      })
    }),
  )
}

// `production`, `shop.settings` and `8` are words that other things are called by as well.
const word = /^([A-Za-z_.-]{1,20}|\d{1,5})$/

/** Has values masked in whatever is printed, but for plain words whose names do not say that they are secret. */
export function registerVariables(variables: Variables): void {
  for (const [name, value] of variables) {
    const text = value.toString()
    if (isSecretive(name) || !word.test(text)) register(text)
  }
}
