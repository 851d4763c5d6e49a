import { hasRole, type Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import type { Instance } from '../project/instance.js'
import { cron } from './cron.js'
import { type ProcessesOptions, processes } from './processes.js'

/** Whether a node answers requests. */
export function serves(node: Node): boolean {
  return hasRole(node, 'web')
}

/** The nodes that pass requests on: a node is a balancer only where it is called one. */
export function balancersAmong(nodes: readonly Node[]): readonly Node[] {
  return nodes.filter(({ roles }) => roles !== 'every' && roles.includes('balancer'))
}

/** The nodes that visitors come to: balancers, or where there are none those that serve. */
export function facingVisitors(nodes: readonly Node[]): readonly Node[] {
  const balancers = balancersAmong(nodes)
  return balancers.length > 0 ? balancers : nodes.filter(serves)
}

/** Whether `processes:` run on a node: where any node of the environment is called a worker, on those; else on those that serve. */
export function runsProcesses(instance: Instance, node: Node): boolean {
  return hasRole(node, roleOfProcesses(instance))
}

/** The nodes that a release goes to: those that serve, and those that run its processes. */
export function releaseNodes(instance: Instance, nodes: readonly Node[]): readonly Node[] {
  return nodes.filter((node) => serves(node) || runsProcesses(instance, node))
}

/** Whether `cron:` runs on a node: on one of all, so that nothing is done twice. */
export function runsCron(instance: Instance, node: Node): boolean {
  const role = roleOfProcesses(instance)
  const first = instance.settings.nodes.find(({ roles }) => roles === undefined || roles.includes(role))
  return first === undefined ? runsProcesses(instance, node) : first.name === node.name
}

/** What follows the current release on a node beside its web process: processes and cron entries. */
export function followers(instance: Instance, node: Node, options: Pick<ProcessesOptions, 'restart'>): readonly Step[] {
  const { settings } = instance
  return [
    ...processes(instance, runsProcesses(instance, node) ? settings.processes : {}, { patience: settings.timeout, ...options }),
    ...cron(instance, runsCron(instance, node) ? settings.cron : {}),
  ]
}

function roleOfProcesses({ settings }: Instance): string {
  return settings.nodes.some(({ roles }) => roles?.includes('worker')) ? 'worker' : 'web'
}
