import { KraftError, type Place } from '../errors/failure.js'
import { dashed } from '../task/option.js'
import type { Task } from '../task/task.js'
import { globalOptions } from './parse.js'

/** A task that a kraftfile exports. */
export interface Exported {
  /** As it is exported: `clearCache`. */
  readonly key: string
  readonly task: Task
  readonly place: Place
}

/** The tasks that are known before. */
type Known = ReadonlyMap<string, { readonly custom: boolean }>

/**
 * Throws `setting` for a task that can't be called: by a name that is kraft's own or no word of a command line, by that of another export,
 * or with an option that every task has.
 */
export function checkExport({ key, task, place }: Exported, known: Known): void {
  const fail = (message: string, next: string) => new KraftError({ kind: 'setting', place, message, next })
  const name = dashed(key)
  if (name === 'help') throw fail("A task cannot be called help: kraft help TASK is kraft's own", 'Give it another name')
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) {
    const first = /[A-Za-z].*/.exec(key)?.[0]?.replaceAll(/[^A-Za-z0-9_]/g, '') ?? 'clearCache'
    const better = `${first.charAt(0).toLowerCase()}${first.slice(1)}`
    throw fail(
      `A task cannot be called ${key}: its name begins with a small letter, and has letters and digits`,
      `Perhaps: export const ${better}`,
    )
  }
  if (known.get(name)?.custom === true)
    throw fail(`${key} is the second task that is called by: kraft ${name}`, 'Give one of the two another name')
  const options = Object.keys(task.spec.options ?? {})
  const taken = options.find((option) => Object.hasOwn(globalOptions, dashed(option)))
  if (taken !== undefined)
    throw fail(`${key} cannot have an option "${taken}": every task has --${dashed(taken)}`, 'Give the option another name')
  const twice = options.find((option, index) => options.findIndex((other) => dashed(other) === dashed(option)) < index)
  if (twice !== undefined)
    throw fail(`${key} has two options that are typed as --${dashed(twice)}`, 'Give one of the two another name')
}

/** Throws `setting` for a function with the name of a built-in task: it would be exported, and kraft would go on to run its own. */
export function refuseFunction(key: string, place: Place, known: Known): void {
  const name = dashed(key)
  if (!known.has(name)) return
  throw new KraftError({
    kind: 'setting',
    place,
    message: `${key} is a function and no task, so kraft ${name} would still be kraft's own`,
    next: `Make it a task: export const ${key} = task({ run: … }); or give it another name`,
  })
}
