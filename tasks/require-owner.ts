import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { type Sh, sh } from '../engine/shell/sh.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** Throws `task` where the name of an instance belongs to another project or environment on a node. */
export async function requireOwner(node: Node, instance: Instance, next: string): Promise<void> {
  refuseOther(node, instance, await node.read(readOwner(instance).text), next)
}

/** What to do where the data of a name are another project's. */
export const notThere =
  'Nothing was changed. Call kraft in that project, or give this one a name of its own (name: in kraftwerk.yaml)'

/** Prints who owns the name, for {@link refuseOther}. */
export const readOwner = (place: Place): Sh => sh`cat ${`${layout.settings(place)}/owner`} 2>/dev/null || :`

/** The same, where that was read before. */
export function refuseOther(node: Node, instance: Instance, read: string, next: string): void {
  const owner = read.trim()
  if (owner === '' || owner === instance.owner) return
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `${instance.name} belongs to another project or environment there: "${owner}" (this is "${instance.owner}")`,
    next,
  })
}
