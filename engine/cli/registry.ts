import { KraftError, type Place } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { dashed } from '../task/option.js'
import type { About } from '../task/session.js'
import { isTask, type Task, type TaskSpec } from '../task/task.js'
import { checkExport, refuseFunction } from './check-export.js'

/** A task under the name by which people call it. */
export interface Entry {
  readonly name: string
  readonly task: Task
  /** Exported by a kraftfile. */
  readonly custom: boolean
  /** The doc comment of a kraftfile's task. */
  readonly doc?: string
  /** Where a kraftfile declares it. */
  readonly place?: Place
}

/** What a kraftfile brings: its exports, with their doc comments and places. */
export interface Custom {
  readonly file: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly docs: Readonly<Record<string, string>>
  readonly declared: Readonly<Record<string, Place>>
}

/** All tasks. */
export interface Registry {
  /** Those that can be called, by name. */
  readonly tasks: ReadonlyMap<string, Entry>
  /** What a kraftfile exports and is no task, by the name that it would have. */
  readonly others?: ReadonlyMap<string, Place>
  /** What is known of any task, also of a built-in one that a kraftfile replaces. */
  about(task: Task): About
}

/**
 * Built-in tasks and those of a kraftfile, which replace built-in ones of the same name.
 *
 * @throws KraftError `setting` for an export that can't be called by its name.
 */
export function createRegistry(builtin: Readonly<Record<string, unknown>>, custom?: Custom): Registry {
  const tasks = new Map<string, Entry>()
  const others = new Map<string, Place>()
  const known = new Map<TaskSpec, About>()
  const add = (entry: Entry) => {
    tasks.set(entry.name, entry)
    // A built-in one that a kraftfile passes on, perhaps with options, is still built-in code.
    if (!known.has(entry.task.spec)) known.set(entry.task.spec, entry)
  }
  for (const [key, task] of Object.entries(builtin)) if (isTask(task)) add({ name: dashed(key), task, custom: false })
  for (const [key, task] of Object.entries(custom?.exports ?? {})) {
    if (custom === undefined) continue
    const [doc, place] = [own(custom.docs, key), own(custom.declared, key)]
    const name = dashed(key)
    if (!isTask(task)) {
      if (typeof task === 'function') refuseFunction(key, place ?? { file: custom.file }, tasks)
      others.set(name, place ?? { file: custom.file })
      continue
    }
    checkExport({ key, task, place: place ?? { file: custom.file } }, tasks)
    add({
      name,
      task,
      custom: true,
      ...(doc === undefined ? {} : { doc }),
      ...(place === undefined ? {} : { place }),
    })
  }
  return { tasks, others, about: (task) => known.get(task.spec) ?? { name: undefined, custom: custom !== undefined } }
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** The task of a name. Throws `usage` with the nearest name. */
export function findTask(registry: Registry, name: string): Entry {
  const entry = registry.tasks.get(name)
  if (entry !== undefined) return entry
  const place = registry.others?.get(name)
  if (place !== undefined) {
    throw new KraftError({
      kind: 'setting',
      place,
      message: `What is exported here is no task, so there is no "kraft ${name}"`,
      next: 'Make it one: export const NAME = task({ run: ({ $ }) => … })',
    })
  }
  const meant = [...registry.tasks.values()].find(({ task }) => task.spec.meantBy?.includes(name))
  throw new KraftError({
    kind: 'usage',
    message: `There is no task "${name}".${meant === undefined ? didYouMean(name, registry.tasks.keys()) : ` Did you mean "${meant.name}"?`}`,
    next: meant === undefined ? 'kraft alone lists the tasks' : `See: kraft help ${meant.name}`,
  })
}
