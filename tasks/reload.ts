import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { sh } from '../engine/shell/sh.js'
import { inBatches } from '../engine/task/in-batches.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { readApplication } from '../recipes/application.js'
import { releaseNodes } from '../recipes/followers.js'
import { removeLeftovers } from '../recipes/leftovers.js'
import { type Release, releaseId } from '../recipes/release.js'
import {
  begin,
  generationSteps,
  lock,
  orTakeBack,
  type Rollout,
  renderProcesses,
  restartProcesses,
  startAndCheck,
  stepsOnEach,
  switchAndDrain,
} from './rollout.js'

/** Starts the current release anew beside the running one, with the environment as it is now, and switches to it. */
export const reload = task({
  on: 'once',
  rolling: true,
  ownConnection: true,
  needs: 'instance',
  group: 'Deploy',
  help: 'start the current release anew, with the environment as it is now, without losing a request',
  examples: ['kraft reload:stage', 'kraft reload:live --batch 1'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const nodes = releaseNodes(instance, target.nodes)
    const application = await readApplication(instance)
    const generation = releaseId(new Date())
    const releases = new Map<string, Release>()
    const releaseOn = (node: Node) => releases.get(node.name) ?? { place: instance, id: generation, generation }
    const rollout: Rollout = {
      application,
      nodes,
      session,
      kind: 'generation',
      releaseOn,
      locks: new Map(),
      fresh: new Set(),
      applied: [],
    }
    renderProcesses(rollout)
    await begin(rollout, async () => {
      await line.list([lock(rollout)])
      // Under the lock: a deploy that switched in between would have its processes drained as the old ones.
      for (const node of nodes) releases.set(node.name, { place: instance, id: await currentRelease(node, instance), generation })
    })
    await inBatches(session, nodes, line, (batch, own) => {
      const part = { ...rollout, nodes: batch }
      return orTakeBack(part, own, [
        stepsOnEach(part, 'Environment', (node) => [
          ...removeLeftovers(instance, instance.settings.timeout),
          ...generationSteps(part, node),
        ]),
        ...startAndCheck(part),
        ...switchAndDrain(part),
        ...restartProcesses(part),
      ])
    })
    return new Result(`${instance.name} ${session.flags.dryRun ? 'would run' : 'runs'} anew`, {
      generation,
      releases: Object.fromEntries([...releases].map(([node, { id }]) => [node, id])),
    })
  },
})

/** The id of the release that an instance serves on a node. Throws `task` where there is none. */
export async function currentRelease(node: Node, place: { readonly name: string; readonly home: string }): Promise<string> {
  const link = await node.read(sh`readlink ${layout.current(place)} || :`.text)
  const id = link.trim().split('/').at(-1) ?? ''
  if (id !== '') return id
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `${place.name} has no release there yet`,
    next: 'Deploy it first: kraft deploy:TARGET',
  })
}
