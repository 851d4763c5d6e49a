import { KraftError } from '../errors/failure.js'

/** Why there is no connection to a node: somebody gave it up while it was made. */
export function interrupted(node: string): KraftError {
  return new KraftError({ kind: 'interrupted', message: `Interrupted while connecting to ${node}` })
}

/** What work for a node gives, unless the signal comes before. Throws {@link interrupted} then; the work goes on unheard. */
export async function unlessInterrupted<T>(work: Promise<T>, node: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let abort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(interrupted(node))
  })
  signal.addEventListener('abort', abort)
  try {
    if (signal.aborted) abort()
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
