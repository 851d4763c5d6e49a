import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { isTask, type Task } from '../task/task.js'
import { dashed } from './parse.js'

/** A task under the name by which people call it. */
export interface Entry {
  readonly name: string
  readonly task: Task
  readonly custom: boolean
  /** The doc comment of a kraftfile's task. */
  readonly doc?: string
}

/** All tasks that can be called, by name. */
export type Registry = ReadonlyMap<string, Entry>

/** Built-in tasks and those of a kraftfile, which replace built-in ones of the same name. */
export function createRegistry(
  builtin: Readonly<Record<string, unknown>>,
  custom: Readonly<Record<string, unknown>> = {},
  docs: Readonly<Record<string, string>> = {},
): Registry {
  const entries = new Map<string, Entry>()
  for (const [key, task] of Object.entries(builtin))
    if (isTask(task)) entries.set(dashed(key), { name: dashed(key), task, custom: false })
  for (const [key, task] of Object.entries(custom)) {
    const doc = docs[key]
    if (isTask(task)) entries.set(dashed(key), { name: dashed(key), task, custom: true, ...(doc === undefined ? {} : { doc }) })
  }
  return entries
}

/** The task of a name. Throws `usage` with the nearest name. */
export function findTask(registry: Registry, name: string): Entry {
  const entry = registry.get(name)
  if (entry !== undefined) return entry
  throw new KraftError({
    kind: 'usage',
    message: `There is no task "${name}".${didYouMean(name, registry.keys())}`,
    next: 'kraft alone lists the tasks',
  })
}
