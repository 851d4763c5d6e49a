import { setTimeout as pause } from 'node:timers/promises'
import { KraftError } from '../../../engine/errors/failure.js'

/** How long and how often to look, in milliseconds. */
export interface Patience {
  readonly within: number
  readonly every?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Looks again and again until `look` returns something; undefined when the time is over. Throws what `look` throws, and
 * `interrupted` when the signal says so.
 *
 * @example await poll(() => state() === 'running' || undefined, { within: 60_000 })
 */
export async function poll<Found>(look: () => Promise<Found | undefined>, patience: Patience): Promise<Found | undefined> {
  const end = Date.now() + patience.within
  for (let wait = Math.min(250, patience.every ?? 250); ; wait = Math.min(wait * 1.5, patience.every ?? 5_000)) {
    stopIfAborted(patience.signal)
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() + wait > end) return undefined
    await sleep(wait, patience.signal)
  }
}

/** Throws `interrupted` if the person pressed Ctrl-C. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted(signal.reason)
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    throw interrupted(error)
  }
}

function interrupted(cause: unknown): KraftError {
  return new KraftError({ kind: 'interrupted', message: 'Interrupted' }, cause)
}
