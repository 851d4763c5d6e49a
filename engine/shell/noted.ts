import type { ProcessPromise } from 'zx/core'
import { noteCommand } from '../errors/explain.js'

/** What is said in the place of a node's name. */
export const here = 'this machine'

/**
 * Sees to it that a command which fails can be told by name. zx's error does not hold the command, and listening to the promise
 * would make a failure that nobody awaits pass in silence, so its last step is wrapped.
 */
export function noted(made: ProcessPromise, where: string): void {
  const finalize: unknown = Reflect.get(made, 'finalize')
  if (typeof finalize !== 'function') return
  if (where === here) running.add(made)
  const value = (output: object, ...more: readonly unknown[]): unknown => {
    noteCommand(output, { where, command: made.cmd })
    running.delete(made)
    return Reflect.apply(finalize, made, [output, ...more])
  }
  Object.defineProperty(made, 'finalize', { value, configurable: true })
}

const running = new Set<ProcessPromise>()

/** Interrupts the commands of zx that run on this machine, also those that Ctrl-C at a terminal has not reached. */
export async function endLocal(): Promise<void> {
  await Promise.allSettled([...running].map((command) => command.kill('SIGINT')))
}
