import type { ProcessPromise, Shell } from 'zx/core'
import { noteCommand } from '../errors/explain.js'

/**
 * Sees to it that a command which fails can be told by name. zx's error does not hold the command, and listening to the promise
 * would make a failure that nobody awaits pass in silence, so its last step is wrapped.
 */
export function noted(made: ProcessPromise, where: string): void {
  const finalize: unknown = Reflect.get(made, 'finalize')
  if (typeof finalize !== 'function') return
  const value = (output: object, ...more: readonly unknown[]): unknown => {
    noteCommand(output, { where, command: made.cmd })
    running.delete(made)
    return Reflect.apply(finalize, made, [output, ...more])
  }
  Object.defineProperty(made, 'finalize', { value, configurable: true })
}

const running = new Set<ProcessPromise>()

/** Interrupts the commands of zx that run on this machine: each leads a group of its own, which Ctrl-C does not reach. */
export async function endLocal(): Promise<void> {
  await Promise.allSettled([...running].map((command) => command.kill('SIGINT')))
}

/** A shell whose failing commands can be told by name. */
export function notedShell(shell: Shell, Promised: typeof ProcessPromise, where: string): Shell {
  return new Proxy(shell, {
    apply(target, self, given) {
      const made: unknown = Reflect.apply(target, self, given)
      if (made instanceof Promised) {
        running.add(made)
        noted(made, where)
      }
      return typeof made === 'function' ? notedShell(made as Shell, Promised, where) : made
    },
  })
}
