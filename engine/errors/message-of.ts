import { inspect } from 'node:util'

/** In one line what was thrown, whatever that is; of several promises that all failed each says why. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return `Something was thrown that is not an Error: ${typeof error === 'object' ? inspect(error, { breakLength: Infinity }) : String(error)}`
  }
  const each: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  const messages = [error.message, ...each.map((one) => (one instanceof Error ? one.message : messageOf(one)))]
  return messages.filter((message) => message !== '').join('; ') || error.name
}
