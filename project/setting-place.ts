import type { YamlPath } from '../engine/config/yaml.js'
import type { Place } from '../engine/errors/failure.js'
import type { Instance } from './instance.js'
import type { Layer } from './settings.js'

/**
 * Where a setting of an instance is said in kraftwerk.yaml: in its environment, which wins, else for the whole project.
 *
 * @example settingPlace(instance, ['https', 'certificate'])
 */
export function settingPlace(
  { project, environment }: Pick<Instance, 'project' | 'environment'>,
  [key, ...rest]: readonly [keyof Layer, ...YamlPath],
  of?: 'key' | 'value',
): Place {
  const own = environment !== undefined && project.environments[environment]?.[key] !== undefined
  return project.place([...(own ? ['environments', environment] : []), key, ...rest], of)
}
