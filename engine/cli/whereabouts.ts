import { explain } from '../errors/explain.js'
import { type Failure, KraftError } from '../errors/failure.js'

/** What to do about a node that did not answer, by its name; undefined where nobody knows more. */
export type Whereabouts = (name: string) => Promise<string | undefined>

// A provider that does not answer either must not keep anybody waiting.
const patience = 3000

/**
 * An error with what is known of the nodes that could not be reached: one that is only switched off is told so. Where something was
 * done before (`begun`), the rest of what to do next stays.
 */
export async function withWhereabouts(error: unknown, ask: Whereabouts, begun: boolean): Promise<unknown> {
  const failure = explain(error)?.failure
  if (failure?.kind === 'several') {
    const each = failure.failed.map(async (ended) => ({ ...ended, error: await withWhereabouts(ended.error, ask, begun) }))
    return new KraftError({ ...failure, failed: await Promise.all(each) }, error)
  }
  if (failure?.kind !== 'unreachable') return error
  const known = await soon(ask(failure.node))
  if (known === undefined) return error
  const next = begun && failure.next !== undefined ? `${known}. ${failure.next}` : known
  const told: Failure = { ...failure, next }
  return new KraftError(told, error)
}

async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patience)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
