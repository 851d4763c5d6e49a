import { KraftError } from '../../engine/errors/failure.js'
import { didYouMean } from '../../engine/errors/nearest.js'
import { type Instance, instanceOf } from '../../project/instance.js'
import type { Project } from '../../project/settings.js'

/**
 * The instance that a developer works on: of the environment that was named, else of the first that is not live, else the project
 * without overrides. Throws `usage` for an environment that there is not.
 *
 * @example chooseEnvironment(project, '').environment // 'stage'
 */
export function chooseEnvironment(project: Project, word: string): Instance {
  const all = Object.keys(project.environments)
  if (word === '') {
    return instanceOf(
      project,
      all.find((name) => !instanceOf(project, name).settings.live),
    )
  }
  if (all.includes(word)) return instanceOf(project, word)
  throw new KraftError({
    kind: 'usage',
    message: `${project.name} has no environment "${word}".${didYouMean(word, all)}`,
    next: all.length === 0 ? 'Leave it out: kraft dev' : `It has ${all.join(', ')}`,
  })
}
