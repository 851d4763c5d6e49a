import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { readApplication, withFetched } from '../recipes/application.js'
import { releaseNodes } from '../recipes/followers.js'
import { removeLeftovers } from '../recipes/leftovers.js'
import { releaseId } from '../recipes/release.js'
import { ownInstance } from '../recipes/stopped.js'
import { requireRelease } from './current-release.js'
import { inParts } from './rollout/afterwards.js'
import { balancingOf } from './rollout/balance.js'
import { begin, reachFor, roomBeside } from './rollout/begin.js'
import { finish } from './rollout/finish.js'
import { newGeneration } from './rollout/names.js'
import { rollout } from './rollout/rollout.js'
import { generationSteps, renderProcesses, startAndCheck, switchAndDrain } from './rollout/switch.js'
import { orTakeBack } from './rollout/take-back.js'
import { withServices } from './service-node.js'

/** Starts the current release anew beside the running one, with the environment as it is now, and switches to it. */
export const reload = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  help: 'start the current release anew, without losing a request\nWith the environment as it is now.',
  changes: 'web and processes: new ones take over, with the environment as it is now; release and data stay',
  examples: ['kraft reload:stage', 'kraft reload:live --batch 1'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const { timeout, drain = timeout } = instance.settings
    const nodes = releaseNodes(instance, target.nodes)
    reachFor(nodes)
    const fetched = await withFetched(await readApplication(instance), session.flags.dryRun, line.output)
    const application = await withServices(fetched, session)
    const made = { generation: releaseId(new Date()) }
    const whole = rollout({
      application,
      nodes,
      session,
      task: 'reload',
      made: 'generation',
      switched: () => 'live',
      releaseOn: ({ name }) => ({ place: instance, id: whole.states.get(name)?.current?.id ?? made.generation, ...made }),
      balancing: await balancingOf(instance, session),
    })
    renderProcesses(whole)
    const room = roomBeside(whole)
    await begin(whole, line, room.check)
    for (const node of nodes) requireRelease(instance, node, whole.states.get(node.name))
    await finish(whole, line)
    made.generation = newGeneration(whole)
    await inParts(whole, line, (part, own) =>
      orTakeBack(part, own, [
        ...room.parts,
        {
          title: 'Environment',
          chapter: 'Prepare',
          steps: (node) => [
            ...ownInstance(instance, instance.owner),
            ...removeLeftovers(instance, drain),
            ...generationSteps(part, node),
          ],
        },
        ...startAndCheck(part),
        ...switchAndDrain(part),
      ]),
    )
    return new Result(`${instance.name} ${session.flags.dryRun ? 'would run' : 'runs'} anew`, {
      ...made,
      releases: Object.fromEntries(nodes.map((node) => [node.name, whole.releaseOn(node).id])),
    })
  },
})
