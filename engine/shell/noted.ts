import type { ProcessPromise } from 'zx/core'
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
    return Reflect.apply(finalize, made, [output, ...more])
  }
  Object.defineProperty(made, 'finalize', { value, configurable: true })
}
