import { type Failure, isKraftError, type KraftError, summary } from '../../engine/errors/failure.js'

/** The error that a promise ends with; throws where it ends well or with something else. */
export async function kraftErrorOf(promise: Promise<unknown>): Promise<KraftError> {
  const error: unknown = await promise.then(
    () => 'success',
    (reason: unknown) => reason,
  )
  if (!isKraftError(error)) throw new Error(`Expected a KraftError, got ${String(error)}`, { cause: error })
  return error
}

/** The failure that a promise ends with, its kind and what a person would read; throws where it ends otherwise. */
export async function failureOf(promise: Promise<unknown>): Promise<{ kind: Failure['kind']; said: string; next: string }> {
  const { failure } = await kraftErrorOf(promise)
  return { kind: failure.kind, said: summary(failure), next: 'next' in failure ? (failure.next ?? '') : '' }
}
