import { KraftError } from '../errors/failure.js'
import { defaultOptions } from './option.js'
import type { Session } from './session.js'
import type { Task, TaskSpec } from './task.js'

/** A run that others may share: of this task, with these options, on this target or node. */
export interface Shared {
  readonly task: Task
  readonly options: Readonly<Record<string, unknown>>
  readonly rest: readonly string[]
  readonly where: string
}

const begun = new WeakMap<Session, WeakMap<TaskSpec, Map<string, Promise<unknown>>>>()

/**
 * Runs a task, or waits for the run that has begun for somebody else in this call of kraft and gives back what that did, its
 * failure too.
 */
export function onlyOnce(
  session: Session,
  { task, options, rest, where }: Shared,
  run: () => Promise<unknown>,
): Promise<unknown> {
  const tasks = begun.get(session) ?? new WeakMap<TaskSpec, Map<string, Promise<unknown>>>()
  begun.set(session, tasks)
  const runs = tasks.get(task.spec) ?? new Map<string, Promise<unknown>>()
  tasks.set(task.spec, runs)
  const given = Object.entries({ ...defaultOptions(task.spec.options ?? {}), ...options, ...task.given }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  )
  const key = JSON.stringify([where, given, rest])
  const found = runs.get(key) ?? run()
  runs.set(key, found)
  return found
}

/** Refuses a task that needs itself: it would wait for its own end. */
export function refuseCircle(chain: readonly TaskSpec[], spec: TaskSpec, name: string): void {
  if (!chain.includes(spec)) return
  throw new KraftError({
    kind: 'usage',
    message: `${name} depends on itself, by way of what it depends on`,
    next: 'Take one of them out of dependsOn',
  })
}
