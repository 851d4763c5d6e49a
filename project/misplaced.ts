import { inYaml } from '../engine/config/in-yaml.js'
import type { Section } from '../engine/config/section.js'
import type { Problem } from '../engine/config/validate.js'

/** The keys of both levels of kraftwerk.yaml. */
interface Levels {
  readonly project: Section
  readonly environment: Section
}

/** An unknown key that the other level of kraftwerk.yaml knows is no misspelt one, but in the wrong place. */
export function misplaced(problem: Problem, { project, environment }: Levels): Problem {
  const { unknown = '' } = problem
  const knows = (section: Section) => Object.hasOwn(section, unknown)
  if (knows(environment) && !knows(project)) {
    return {
      ...problem,
      message: `"${unknown}" belongs into an environment`,
      next: `For example: environments: { stage: { ${unknown}: ${inYaml(environment[unknown]?.example, true)} } }`,
    }
  }
  if (knows(project) && !knows(environment)) {
    return {
      ...problem,
      message: `"${unknown}" belongs to the top of the file: it is one for all environments`,
      next: 'Move it there, where lines begin in the first column',
    }
  }
  return problem
}
