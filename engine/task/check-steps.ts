import { type Failure, KraftError, type Place } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import type { Step } from '../step/step.js'

const keys = ['title', 'check', 'apply', 'diff', 'files', 'as', 'notify', 'quiet', 'loud']

/**
 * The steps that a task gave, as a list. Throws a KraftError for what is none: nothing, a list in the list, a misspelt key (a check that
 * is never asked would change the node each time). `place` is where the task is declared.
 */
export function checkSteps(given: unknown, task: string, place?: Place): readonly Step[] {
  const fail = (message: string, next: string) => {
    const failure: Failure = place === undefined ? { kind: 'task', message, next } : { kind: 'setting', message, place, next }
    return new KraftError(failure)
  }
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
    throw fail(`The steps of ${task} are no list`, "Return one, for example: steps: () => [...apt('poppler-utils')]")
  }
  const steps = [...(given as Iterable<unknown>)]
  for (const [index, step] of steps.entries()) {
    if (Array.isArray(step)) throw fail(`Among the steps of ${task} is a list of steps`, "Spread it: [...apt('poppler-utils')]")
    const which = `Step ${index + 1} of ${task}`
    if (typeof step !== 'object' || step === null) throw fail(`${which} is no step`, 'A step has a title, and apply: sh`…`')
    const wrong = Object.keys(step).find((key) => !keys.includes(key))
    if (wrong !== undefined)
      throw fail(`${which} has a key that no step has: "${wrong}".${didYouMean(wrong, keys)}`, `It can have ${keys.join(', ')}`)
    const said: Readonly<Record<string, unknown>> = { ...step }
    if (typeof said.title !== 'string')
      throw fail(`${which} has no title`, "Say what it makes true, for example: title: 'Folder /srv/exports'")
    for (const key of ['apply', 'check', 'diff']) {
      const script = said[key]
      if (script === undefined && key !== 'apply') continue
      const isScript = typeof script === 'object' && script !== null && 'text' in script
      if (!isScript) throw fail(`${key} of "${said.title}" is no script`, `Write it with sh: ${key}: sh\`…\``)
    }
  }
  return steps as readonly Step[]
}
