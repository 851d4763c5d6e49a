import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { lines, sh } from '../engine/shell/sh.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { InstanceState } from '../recipes/state.js'
import { notThere, readOwner, refuseOther } from './require-owner.js'

/** The id of the release that an instance serves on a node. Throws `task` where there is none. */
export async function currentRelease(node: Node, place: Place): Promise<string> {
  return idOf(await node.read(sh`readlink ${layout.current(place)} || :`.text), place, node)
}

/**
 * The same for whoever reads or changes its data. Throws `task` also where the name belongs to another project or environment there, whose
 * data they would be.
 */
export async function ownRelease(node: Node, instance: Instance): Promise<string> {
  const [link = '', owner = ''] = (
    await node.read(lines(sh`echo "$(readlink ${layout.current(instance)} || :)"`, readOwner(instance)).text)
  ).split('\n')
  refuseOther(node, instance, owner, notThere)
  return idOf(link, instance, node)
}

function idOf(link: string, place: Place, node: Node): string {
  const id = link.trim().split('/').at(-1) ?? ''
  if (id === '') throw noRelease(place, node)
  return id
}

/** The same of a state that was read before. */
export function requireRelease(place: Place, node: Node, state: InstanceState | undefined): string {
  if (state?.current === undefined) throw noRelease(place, node)
  return state.current.id
}

/** An instance that was never deployed to a node. */
export function noRelease({ name }: Place, node: Node): KraftError {
  return new KraftError({
    kind: 'task',
    node: node.name,
    message: `${name} has no release there yet`,
    next: 'Deploy it first: kraft deploy:TARGET',
  })
}
