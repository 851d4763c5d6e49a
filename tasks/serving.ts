import { hasRole, type Node } from '../engine/node/node.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { TargetContext } from '../engine/task/context.js'
import { inBatches } from '../engine/task/in-batches.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { hostOf } from '../recipes/application.js'
import type { Release } from '../recipes/release.js'
import { ownInstance, type Restart } from '../recipes/stopped.js'
import { currentRelease } from './reload.js'
import { begin, type Locked, lock, onEach } from './rollout.js'

/**
 * Does something to the programs of an instance on all of its web nodes, under its lock. `steps` gets what is served there.
 *
 * @example await changeServing(context, 'Stop', ({ place }) => stop(place, 30))
 */
export async function changeServing(
  { target, session, line }: Pick<TargetContext<unknown>, 'target' | 'session' | 'line'>,
  title: string,
  steps: (release: Release, given: Restart) => readonly Step[],
): Promise<Instance> {
  const instance = requireInstance(target)
  const nodes = target.nodes.filter((node) => hasRole(node, 'web'))
  const work: Locked = { application: { instance }, nodes, session, locks: new Map() }
  const { timeout, health } = instance.settings
  try {
    await begin(work, () => line.list([lock(work)]))
    await inBatches(session, nodes, line, (batch, own) =>
      own.list([
        onEach({ nodes: batch, session }, title, async (node, each) => {
          const given = { health, host: hostOf(instance, node.record), patience: timeout + 5 }
          const release = await servedRelease(node, instance)
          await node.apply(title, [...ownInstance(instance, instance.owner), ...steps(release, given)], each)
        }),
      ]),
    )
  } finally {
    for (const held of work.locks.values()) await held.release()
  }
  return instance
}

/** The release and generation that an instance serves on a node. Throws `task` where there is none. */
export async function servedRelease(node: Node, place: Instance): Promise<Release> {
  const id = await currentRelease(node, place)
  const generation = await node.read(sh`readlink ${layout.meta(place, id)}/live`.text)
  return { place, id, generation: generation.trim() }
}
