import type { Node } from '../engine/node/node.js'
import type { Session } from '../engine/task/session.js'
import type { Instance } from '../project/instance.js'
import { planChange } from './change-to-come.js'
import { readKept } from './kept-environ.js'

/** Gives nodes that are new in an environment of several what is set on the others; {@link readKept} tells which they are. */
export async function evenEnviron(instance: Instance, nodes: readonly Node[], session: Session): Promise<void> {
  if (nodes.length < 2) return
  const kept = await readKept(instance, nodes)
  const [model] = kept.filter(({ variables }) => variables.size > 0)
  const [last] = model?.history.slice(-1) ?? []
  if (model === undefined || last === undefined) return
  for (const { node, history } of kept) {
    // What was set there once was unset there as well.
    if (history.length > 0) continue
    planChange(session, instance.name, { set: model.variables, unset: [], by: last.by, at: new Date(last.at) }, node.name)
  }
}
