import { KraftError, type Place } from '../engine/errors/failure.js'
import type { InstanceSettings, Project } from './settings.js'

/**
 * Throws `setting` for two environments that would get in each other's way on a node: with one name they would overwrite each other, of
 * one domain nginx would serve only the first.
 */
export function refuseShared(project: Project, instances: readonly InstanceSettings[]): void {
  const names = new Map<string, InstanceSettings>()
  const domains = new Map<string, InstanceSettings>()
  for (const settings of instances) {
    const { environment = '', name, domain, aliases } = settings
    const place = project.place(['environments', environment], 'key')
    const twice = aliases.indexOf(domain ?? '')
    if (twice >= 0) refuseAlias(project, settings, twice)
    for (const node of settings.nodes) {
      const other = names.get(`${name} ${node.name}`)
      if (other !== undefined) {
        throw refusal(
          place,
          `${other.environment} and ${environment} are both called "${name}" on the node ${node.name}`,
          `Give one a name of its own, for example: name: ${name}-${environment}`,
        )
      }
      names.set(`${name} ${node.name}`, settings)
      if (node.roles !== undefined && !node.roles.includes('web')) continue
      for (const host of domain === undefined ? [] : [domain, ...aliases]) {
        const rival = domains.get(`${host} ${node.name}`)
        if (rival !== undefined) {
          throw refusal(
            place,
            `${rival.environment} and ${environment} both answer to ${host} on the node ${node.name}`,
            `Give one a domain of its own, for example: domain: ${environment}.${host.replace(/^www\./, '')}`,
          )
        }
        domains.set(`${host} ${node.name}`, settings)
      }
    }
  }
}

function refuseAlias(project: Project, { environment = '', domain }: InstanceSettings, index: number): never {
  const own = project.environments[environment]?.aliases === undefined ? [] : ['environments', environment]
  throw refusal(
    project.place([...own, 'aliases', index]),
    `${domain} is the domain itself, and would be redirected to itself as an alias`,
    'Take it out of aliases',
  )
}

function refusal(place: Place, message: string, next: string): KraftError {
  return new KraftError({ kind: 'setting', place, message, next })
}
