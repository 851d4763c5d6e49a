import { type Failure, isKraftError, summary } from '../../engine/errors/failure.js'

/** The failure that a promise ends with, its kind and what a person would read; throws where it ends otherwise. */
export async function failureOf(promise: Promise<unknown>): Promise<{ kind: Failure['kind']; said: string; next: string }> {
  const error: unknown = await promise.then(
    () => 'success',
    (reason: unknown) => reason,
  )
  if (!isKraftError(error)) throw new Error(`Expected a KraftError, got ${String(error)}`, { cause: error })
  const { failure } = error
  return { kind: failure.kind, said: summary(failure), next: 'next' in failure ? (failure.next ?? '') : '' }
}
