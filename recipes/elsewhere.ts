import { KraftError } from '../engine/errors/failure.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import type { Instance } from '../project/instance.js'
import type { EnvironmentNode } from '../project/nodes-schema.js'
import type { Service } from '../project/service.js'
import type { UsedService } from './application.js'

const role = 'db'

/** The node that serves data to the others; undefined where there is none, or where it is the only one that uses them. Throws `setting`. */
export function servingNode({ settings, project, environment = '' }: Instance): EnvironmentNode | undefined {
  const [first, second] = settings.nodes.filter(({ roles }) => roles?.includes(role))
  if (first === undefined) return undefined
  if (second !== undefined) {
    throw new KraftError({
      kind: 'setting',
      place: project.place(['environments', environment, 'nodes']),
      message: `The role db has several nodes: ${first.name}, ${second.name}`,
      next: 'Name one: data lives in one place',
    })
  }
  return using(settings.nodes).every(({ name }) => name === first.name) ? undefined : first
}

/** The nodes of an environment that use its services. */
export function using(nodes: readonly EnvironmentNode[]): readonly EnvironmentNode[] {
  return nodes.filter(({ roles }) => roles === undefined || ['web', 'worker'].some((each) => roles.includes(each)))
}

/** A service as an instance uses it: here, at an address, or on the node with the role db. */
export function placed(service: Service, settings: UsedService['settings'], instance: Instance): UsedService {
  const { elsewhere } = service
  if (elsewhere === undefined) return { service, settings }
  // What looks at a server on the node would look at another one, or at none.
  const { shell: _shell, door: _door, facts: _facts, ...plain } = service
  const there = { ...plain, ...elsewhere }
  if (settings.url !== undefined) {
    registerSecretive({ url: settings.url })
    return { service: there, settings, where: 'url' }
  }
  const node = elsewhere.server === undefined ? undefined : servingNode(instance)
  if (node === undefined) return { service, settings }
  return { service: there, settings: { ...settings, node: node.name, url: `from ${node.name}` }, where: node.name }
}
