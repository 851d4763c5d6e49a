import { DeclarationError } from '../errors/declaration-error.js'
import { checkTasks } from './check-declared.js'
import { isTask, make, type Task } from './task.js'

/**
 * One task after the other, each on the whole target before the next begins.
 *
 * @example export const release = series('Dump, deploy, reload', dump.with({ file: 'before.bundle' }), deploy, reload)
 */
export function series(help: string, ...members: readonly Task[]): Task {
  check('series', help, members)
  return make({ on: 'once', help, members, together: false, ...shared(members) })
}

/**
 * Tasks side by side on the same target, for those that do not depend on each other. All of them end before it does, and it fails if one
 * of them failed.
 *
 * @example export const look = parallel('How it is and what it says', status, logs)
 */
export function parallel(help: string, ...members: readonly Task[]): Task {
  check('parallel', help, members)
  return make({ on: 'once', help, members, together: true, ...shared(members) })
}

function check(call: string, help: unknown, members: readonly unknown[]): void {
  if (typeof help !== 'string' || members.length === 0) {
    const message =
      typeof help === 'string'
        ? `${call}() takes a line of help and then its tasks, and got none`
        : `${call}() takes a line of help before its tasks`
    throw new DeclarationError(call, message, `For example: ${call}('Deploy and look', deploy, status)`)
  }
  checkTasks(call, members, isTask)
}

function shared(members: readonly Task[]) {
  return {
    options: Object.assign({}, ...members.map((member) => optional(member))),
    destructive: members.some((member) => member.spec.destructive === true),
  }
}

// What a member requires may be given by `.with`, and what it has in common with another is one option of the whole.
function optional(member: Task) {
  return Object.fromEntries(
    Object.entries(member.spec.options ?? {})
      .filter(([name]) => !(name in member.given))
      .map(([name, spec]) => [name, { ...spec, positional: false }]),
  )
}
