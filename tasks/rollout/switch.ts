import { hostname, userInfo } from 'node:os'
import type { Node } from '../../engine/node/node.js'
import type { Step } from '../../engine/step/step.js'
import { environOf, hostOf } from '../../recipes/application.js'
import { noteInLog } from '../../recipes/audit.js'
import { drainOthers, healthy, startBeside, stillHealthy, switchTo } from '../../recipes/gunicorn.js'
import { decide, settled } from '../../recipes/journal.js'
import { processes } from '../../recipes/processes.js'
import { pointLive, prepareGeneration } from '../../recipes/release.js'
import { countRequests, markRequests } from '../../recipes/requests.js'
import { throughBalancer } from './balance.js'
import type { StepsPart } from './parts.js'
import type { Rollout } from './rollout.js'

/** Who it is to the node's log and to others who want the lock. */
export const whoAmI = (): string => `${userInfo().username}@${hostname()}`

/** The environment of the processes to come. */
export function generationSteps(rollout: Rollout, node: Node): readonly Step[] {
  const release = rollout.releaseOn(node)
  return [
    ...prepareGeneration(release, environOf(rollout.application, release, node.record)),
    ...(rollout.switched === 'current' ? pointLive(release) : []),
  ]
}

/**
 * New processes beside the old ones, asked for their health through their own socket; then `last`, after which a node is ready to
 * switch.
 */
export function startAndCheck(rollout: Rollout, ...last: readonly StepsPart[]): readonly StepsPart[] {
  const { settings } = rollout.application.instance
  return [
    { title: 'Start beside the old', chapter: 'Prepare', steps: (node) => startSteps(rollout, node) },
    {
      title: 'Health check',
      chapter: 'Prepare',
      steps: (node) => healthy(rollout.releaseOn(node), settings.health, hostOf(rollout.application.instance, node.record)),
    },
    ...last,
    {
      title: 'All nodes are ready',
      chapter: 'Prepare',
      steps: (node) => decide(rollout.releaseOn(node)),
      barrier: true,
    },
  ]
}

function startSteps({ application, releaseOn }: Rollout, node: Node): readonly Step[] {
  const { workers, threads, timeout, drain = timeout } = application.instance.settings
  return startBeside(releaseOn(node), { wsgi: application.wsgi, workers, threads, timeout, drain })
}

/** Switches all nodes, then lets the old processes finish and has the project's other processes follow. */
export function switchAndDrain(rollout: Rollout): readonly StepsPart[] {
  const { instance } = rollout.application
  const { timeout, drain = timeout } = instance.settings
  return [
    {
      title: 'Switch',
      chapter: 'Switch',
      barrier: true,
      ...throughBalancer(rollout),
      steps: (node) => {
        const { file, number } = rollout.locks.get(node.name) ?? { file: '/dev/null', number: '' }
        const release = rollout.releaseOn(node)
        const host = hostOf(instance, node.record)
        return [
          ...markRequests(instance),
          ...switchTo(release, rollout.switched, { file, number }),
          ...stillHealthy(release, instance.settings.health, host),
        ]
      },
    },
    {
      title: 'Drain the old',
      chapter: 'Tidy up',
      steps: (node) => [...settled(instance), ...drainOthers(rollout.releaseOn(node), drain), ...countRequests(instance)],
    },
    { title: 'Processes', chapter: 'Tidy up', steps: () => restartSteps(rollout) },
    { title: 'Log', chapter: 'Tidy up', steps: (node) => noteInLog(instance, logEntry(rollout, node, 'ok')) },
  ]
}

/** A line of the node's log about what this rollout did there. */
export function logEntry(rollout: Rollout, node: Node, result: 'ok' | 'failed') {
  const { id, generation } = rollout.releaseOn(node)
  return { who: whoAmI(), what: rollout.task, release: id, generation, result }
}

function restartSteps({ application: { instance } }: Rollout): readonly Step[] {
  return processes(instance, instance.settings.processes, { patience: instance.settings.timeout })
}

/** Renders the templates of all processes, so that a mistake in one is found before anything changes. */
export function renderProcesses(rollout: Rollout): void {
  for (const node of rollout.nodes) startSteps(rollout, node)
  restartSteps(rollout)
}
