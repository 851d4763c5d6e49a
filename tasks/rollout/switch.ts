import { hostname, userInfo } from 'node:os'
import type { Node } from '../../engine/node/node.js'
import type { Step } from '../../engine/step/step.js'
import type { Instance } from '../../project/instance.js'
import { environOf, hostOf } from '../../recipes/application.js'
import { noteInLog } from '../../recipes/audit.js'
import { generationEnviron, typedEnviron } from '../../recipes/environ.js'
import { followers, serves } from '../../recipes/followers.js'
import { drainOthers, healthy, startBeside, stillHealthy, switchTo, type Visited } from '../../recipes/gunicorn.js'
import { decide, settled } from '../../recipes/journal.js'
import { takeCacheSide } from '../../recipes/page-cache.js'
import { pointLive, prepareGeneration } from '../../recipes/release.js'
import { countRequests, markRequests } from '../../recipes/requests.js'
import { noLongerStopped } from '../../recipes/stopped.js'
import { plannedChange } from '../change-to-come.js'
import { isMove } from '../moving-now.js'
import { throughBalancer } from './balance.js'
import type { Part, StepsPart } from './parts.js'
import type { Rollout } from './rollout.js'

/** Who it is to the node's log and to others who want the lock. */
export const whoAmI = (): string => `${userInfo().username}@${hostname()}`

/** The environment of the processes to come. */
export function generationSteps(rollout: Rollout, node: Node): readonly Step[] {
  const release = rollout.releaseOn(node)
  const { instance } = rollout.application
  const environ = environOf(rollout.application, release, node.record)
  const typed = Object.keys(instance.project.variables?.environ ?? {})
  return [
    ...prepareGeneration(release, environ),
    ...takeCacheSide(release, instance.settings.cache),
    ...generationEnviron(release, plannedChange(rollout.session, instance.name, node.name)),
    ...typedEnviron(release, Object.fromEntries(Object.entries(environ).filter(([name]) => typed.includes(name)))),
    ...(rollout.switched(node) === 'current' ? pointLive(release) : []),
  ]
}

/**
 * New processes beside the old ones, asked for their health through their own socket; then `last`, after which a node is ready to
 * switch.
 */
export function startAndCheck(rollout: Rollout, ...last: readonly Part[]): readonly Part[] {
  const { instance } = rollout.application
  return [
    { title: 'Start beside the old', chapter: 'Prepare', steps: (node) => startSteps(rollout, node) },
    {
      title: 'Health check',
      chapter: 'Prepare',
      steps: (node) => (serves(node) ? healthy(rollout.releaseOn(node), instance.settings.health, visited(instance, node)) : []),
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

/** How visitors come to a site, as its settings say. */
export function visited(instance: Instance, { record }: Node): Visited {
  const { https } = instance.settings
  return { name: hostOf(instance, record), scheme: https === undefined || https.off ? 'http' : 'https' }
}

function startSteps({ application, releaseOn }: Rollout, node: Node): readonly Step[] {
  if (!serves(node)) return []
  const { workers, threads, timeout, drain = timeout } = application.instance.settings
  return startBeside(releaseOn(node), { wsgi: application.wsgi, workers, threads, timeout, drain })
}

/**
 * Switches all nodes, then lets the old processes finish and has the project's other processes follow. `noted` is what is to be known
 * as soon as all have switched, however long the rest takes.
 */
export function switchAndDrain(rollout: Rollout, noted: StepsPart['steps'] = () => []): readonly StepsPart[] {
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
        return [
          ...markRequests(instance),
          ...switchTo(release, rollout.switched(node), { file, number }),
          ...(serves(node) ? stillHealthy(release, instance.settings.health, visited(instance, node)) : []),
        ]
      },
    },
    {
      title: 'Drain the old',
      chapter: 'Tidy up',
      steps: async (node) => [
        ...(await noted(node)),
        ...settled(instance),
        ...drainOthers(rollout.releaseOn(node), drain),
        ...countRequests(instance),
      ],
    },
    { title: 'Processes', chapter: 'Tidy up', steps: (node) => restartSteps(rollout, node) },
    { title: 'Log', chapter: 'Tidy up', steps: (node) => noteInLog(instance, logEntry(rollout, node, 'ok')) },
  ]
}

/** A line of the node's log about what this rollout did there. */
export function logEntry(rollout: Rollout, node: Node, result: 'ok' | 'failed') {
  const { id, generation } = rollout.releaseOn(node)
  return { who: whoAmI(), what: rollout.task, release: id, generation, result }
}

function restartSteps({ application: { instance }, session }: Rollout, node: Node): readonly Step[] {
  return [...noLongerStopped(instance, isMove(session)), ...followers(instance, node, { restart: true })]
}

/** Renders the templates of all processes, so that a mistake in one is found before anything changes. */
export function renderProcesses(rollout: Rollout): void {
  for (const node of rollout.nodes) {
    startSteps(rollout, node)
    restartSteps(rollout, node)
  }
}
