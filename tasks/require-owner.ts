import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { sh } from '../engine/shell/sh.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'

/** Throws `task` where the name of an instance belongs to another project or environment on a node. */
export async function requireOwner(node: Node, instance: Instance, next: string): Promise<void> {
  const owner = (await node.read(sh`cat ${`${layout.settings(instance)}/owner`} 2>/dev/null || :`.text)).trim()
  if (owner === '' || owner === instance.owner) return
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `${instance.name} belongs to another project or environment there: "${owner}" (this is "${instance.owner}")`,
    next,
  })
}
