import { checkTasks } from './check-declared.js'
import { isTask, type Task, type TaskSpec } from './task.js'

interface Hooks {
  readonly before: Task[]
  readonly after: Task[]
}

// Keyed by the spec, so that deploy.with(…) has the hooks of deploy; on globalThis, so that two copies of kraftwerk agree.
const key = Symbol.for('kraftwerk.hooks')
const store = globalThis as { [key]?: WeakMap<TaskSpec, Hooks> }
store[key] ??= new WeakMap()

/** The hooks of a task, in the order in which they were added. */
export function hooksOf(task: Task): Hooks {
  const hooks = store[key]?.get(task.spec) ?? { before: [], after: [] }
  store[key]?.set(task.spec, hooks)
  return hooks
}

/**
 * Runs tasks before another one, wherever it is called from. If a hook fails, the task does not start.
 *
 * @example before(deploy, task({ on: 'once', onlyOnce: true, run: ({ local }) => local.$`npm run build` }))
 */
export function before(task: Task, ...hooks: readonly Task[]): void {
  checkTasks('before', [task, ...hooks], isTask)
  hooksOf(task).before.push(...hooks)
}

/**
 * Runs tasks after another one that succeeded, wherever that is called from. If one of them fails, the call has failed; what the task did
 * stays done.
 *
 * @example after(deploy, task({ on: 'once', run: ({ local }) => local.$`notify-send deployed` }))
 */
export function after(task: Task, ...hooks: readonly Task[]): void {
  checkTasks('after', [task, ...hooks], isTask)
  hooksOf(task).after.push(...hooks)
}
