import type { Place } from '../engine/errors/failure.js'
import type { Project } from './settings.js'

/** Where a variable of `environ:` is said: the strongest of all places. */
export interface EnvironOrigin {
  /** `KRAFT_ENVIRON`, `kraftwerk.yaml` or `kraftwerk.yaml, live`. */
  readonly words: string
  readonly place: Place
}

/** Where a variable of the settings comes from; undefined for one that they do not have. */
export function environOrigin(project: Project, environment: string | undefined, name: string): EnvironOrigin | undefined {
  const has = (environ: Readonly<Record<string, unknown>> | undefined) => environ !== undefined && Object.hasOwn(environ, name)
  if (has(project.variables?.environ)) return { words: 'KRAFT_ENVIRON', place: { file: 'KRAFT_ENVIRON' } }
  if (environment !== undefined && has(project.environments[environment]?.environ)) {
    const place = project.place(['environments', environment, 'environ', name])
    return { words: `kraftwerk.yaml, ${environment}`, place }
  }
  return has(project.settings.environ) ? { words: 'kraftwerk.yaml', place: project.place(['environ', name]) } : undefined
}
