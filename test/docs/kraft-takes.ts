import { checkCall } from '../../engine/cli/check-call.js'
import { parseArguments, parseWord, type Word } from '../../engine/cli/parse.js'
import { createRegistry, findTask } from '../../engine/cli/registry.js'
import * as tasks from '../../tasks/index.js'

const registry = createRegistry(tasks)

/**
 * Throws a KraftError for a call that kraft would refuse before it looks at any project: there is no such task, option or value. A task
 * alone is its name, which may want more.
 *
 * @example kraftTakes('deploy:stage --wait 600').targets // ['stage']
 */
export function kraftTakes(call: string): Word {
  const [first = '', ...words] = call.trim().split(/\s+/)
  const word = parseWord(first)
  const entry = findTask(registry, word.task)
  const { options = {}, takesRest } = entry.task.spec
  if (words.length > 0) checkCall(entry, word, parseArguments(word.task, options, takesRest === true, words))
  return word
}
