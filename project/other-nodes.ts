import { type Instance, instanceOf } from './instance.js'
import type { EnvironmentNode } from './settings.js'

/** The same instance as if kraftwerk.yaml gave its environment these nodes. */
export function onNodes({ project, environment }: Instance, nodes: readonly EnvironmentNode[]): Instance {
  const { environments } = project
  const layers =
    environment === undefined
      ? environments
      : { ...environments, [environment]: { ...environments[environment], nodes: [...nodes] } }
  return instanceOf({ ...project, environments: layers }, environment)
}

/**
 * The same instance with nothing that acts by itself: no processes, cron entries or backups, and nobody is told. So it can run on a second
 * node beside the first.
 */
export function quietly(instance: Instance): Instance {
  return { ...instance, settings: { ...instance.settings, processes: {}, cron: {}, backup: undefined, notify: [] } }
}
