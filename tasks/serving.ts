import type { Step } from '../engine/step/step.js'
import type { TargetContext } from '../engine/task/context.js'
import { inBatches } from '../engine/task/in-batches.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { noteInLog } from '../recipes/audit.js'
import { releaseNodes, serves } from '../recipes/followers.js'
import type { Release } from '../recipes/release.js'
import { ownInstance, type Restart } from '../recipes/stopped.js'
import { requireRelease } from './current-release.js'
import { type Begun, begin, reachFor } from './rollout/begin.js'
import { onEach } from './rollout/rollout.js'
import { visited, whoAmI } from './rollout/switch.js'

/**
 * Does something to the programs of an instance on all of its nodes, under its lock. `steps` gets what is served there.
 *
 * @example await changeServing(context, 'stop', ({ place }) => stop(place, 30))
 */
export async function changeServing(
  { target, session, line }: Pick<TargetContext<unknown>, 'target' | 'session' | 'line'>,
  what: string,
  steps: (release: Release, given: Restart) => readonly Step[],
): Promise<Instance> {
  const instance = requireInstance(target)
  const { timeout, drain = timeout, health } = instance.settings
  const nodes = releaseNodes(instance, target.nodes)
  const everywhere = what === 'start'
  const work: Begun = { application: { instance }, nodes, session, locks: new Map(), states: new Map(), everywhere }
  const title = what.charAt(0).toUpperCase() + what.slice(1)
  reachFor(nodes)
  try {
    await begin(work, line)
    await inBatches(session, nodes, line, (batch, own) =>
      own.list([
        onEach({ nodes: batch, session }, title, async (node, each) => {
          const state = work.states.get(node.name)
          const id = requireRelease(instance, node, state)
          const release = { place: instance, id, generation: state?.current?.generation ?? '' }
          const given = { health, host: visited(instance, node), web: serves(node), patience: drain + 5 }
          const all = [
            ...ownInstance(instance, instance.owner),
            ...steps(release, given),
            ...noteInLog(instance, { who: whoAmI(), what, release: id, generation: release.generation, result: 'ok' }),
          ]
          await node.apply(title, all, each)
        }),
      ]),
    )
  } finally {
    for (const held of work.locks.values()) await held.release()
  }
  return instance
}
