import { KraftError } from '../errors/failure.js'

/**
 * What is said where a task needs a project and there is none: whoever stands in a project that kraft does not know yet wants another
 * command than whoever has none.
 */
export function noProject(task?: string): KraftError {
  return new KraftError({
    kind: 'usage',
    message: `${task === undefined ? 'There' : `${task} needs a project, and there`} is no kraftwerk.yaml here or in a folder above`,
    next: 'In the folder of a project that you have: kraft init. For a new one: kraft init NAME',
  })
}
