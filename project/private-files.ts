import { relative, resolve } from 'node:path'
import type { Project } from './settings.js'

/**
 * The files of a project's folder that are sent as secrets or not at all, whatever is ignored or not: keys of certificates, of all
 * environments, because one of stage's processes must not read live's.
 *
 * @example privateFiles(project) // ['certificates/live.key']
 */
export function privateFiles({ folder, settings, environments, variables }: Project): readonly string[] {
  return [settings, ...Object.values(environments), variables]
    .flatMap((layer) => layer?.https?.key ?? [])
    .map((path) => relative(folder, resolve(folder, path)))
    .filter((path) => !path.startsWith('..'))
}
