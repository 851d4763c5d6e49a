import { explain } from './explain.js'
import { summary } from './failure.js'
import { messageOf } from './message-of.js'

/** An error for programs: its kind, the sentence that a person reads, and all that is known of it. */
export interface ErrorData {
  /** As in `Failure`; `unknown` for a bug in kraft. */
  readonly kind: string
  readonly message: string
  readonly [detail: string]: unknown
}

/**
 * An error as data. Of several, `failed` has each with its title.
 *
 * @example errorData(error) // { kind: 'step', message: 'one: Packages: failed with code 100', node: 'one', step: 'Packages', … }
 */
export function errorData(error: unknown): ErrorData {
  const failure = explain(error)?.failure
  if (failure === undefined) return { kind: 'unknown', message: messageOf(error) }
  if (failure.kind !== 'several') {
    const { code: status, ...details } = 'code' in failure ? failure : { ...failure, code: undefined }
    // The event's own `code` is kraft's.
    return { ...details, ...(status === undefined ? {} : { status }), message: summary(failure) }
  }
  const failed = failure.failed.map(({ title, error: each }) => ({ title, ...errorData(each) }))
  const { kind, done, next } = failure
  return { kind, message: summary(failure), failed, done, ...(next === undefined ? {} : { next }) }
}
