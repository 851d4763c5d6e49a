import { setTimeout as sleep } from 'node:timers/promises'

/** How {@link repeat} goes on. */
export interface Repeated {
  /** Seconds between the end of one time and the beginning of the next. */
  readonly every: number
  readonly signal: AbortSignal
  /** What has to be so before the next time begins; left out: nothing. */
  readonly until?: () => Promise<void>
}

/** Does something again and again, never twice at once, until the signal. What does it minds its own failures. */
export async function repeat(body: () => Promise<void>, { every, signal, until }: Repeated): Promise<void> {
  while (!signal.aborted) {
    await body()
    await sleep(every * 1000, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) await until?.()
  }
}
