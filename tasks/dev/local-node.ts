import { errorData } from '../../engine/errors/data.js'
import type { Node } from '../../engine/node/node.js'
import { sh } from '../../engine/shell/sh.js'
import type { Session } from '../../engine/task/session.js'
import type { Instance } from '../../project/instance.js'
import { layout } from '../../project/layout.js'
import { using } from '../../recipes/elsewhere.js'
import { answers } from './here.js'

/** Providers whose nodes are on this machine. */
const providers = ['local', 'vagrant']

/** The name of the node where the project names none, as `kraft up` makes it. */
const usual = 'one'

/** A node of this machine that runs the instance, or why there is none in a few words; undefined where nobody would look for one. */
export type LocalNode = { readonly node: Node } | { readonly why: string } | undefined

/**
 * Finds the node of this machine that runs an instance: the first of its environment that a provider made here. No node of another
 * machine is ever asked.
 */
export async function localNode(instance: Instance, session: Session): Promise<LocalNode> {
  const { settings, project } = instance
  const named = using(settings.nodes).map(({ name }) => name)
  // As kraft up does. Where all environments are live, none of their nodes is meant.
  const only =
    Object.keys(project.environments).length > 0 ? [] : [project.settings.default_node ?? session.user.default_node ?? usual]
  const names = instance.environment === undefined ? only : named
  const inventory = await session.inventory()
  const record = names.map((name) => inventory.get(name)).find((found) => found && providers.includes(found.provider ?? ''))
  if (record === undefined) return undefined
  const { name, address, port = 22 } = record
  if (!(await answers(port, address))) return { why: `the node ${name} does not answer (kraft start:${name})` }
  const node = session.connect(record, 'every')
  try {
    const owner = await node.read(sh`cat ${`${layout.settings(instance)}/owner`} 2>/dev/null || :`.text)
    if (owner.trim() === instance.owner) return { node }
    return { why: `the node ${name} does not run ${instance.name} (kraft deploy:${instance.environment ?? name})` }
  } catch (error) {
    return { why: `the node ${name}: ${errorData(error).message}` }
  }
}
