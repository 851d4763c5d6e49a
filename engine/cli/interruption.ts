import { KraftError } from '../errors/failure.js'
import { ctrlC } from '../ssh/ctrl-c.js'

/** Ctrl-C as a failure, and what says the same: SIGTERM (a CI job that is cancelled), SIGHUP (a terminal that is closed). */
export interface Interruption {
  /** Rejects with `interrupted` at the first one. */
  readonly happens: Promise<never>
  /** All three have their own meaning again. */
  ignore(): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Listens for Ctrl-C, so that locks are given back and connections closed before kraft goes; a second one ends it at once. What is
 * said then depends on whether a node was `reached`.
 */
export function interruption(reached: () => boolean): Interruption {
  let reject: (error: KraftError) => void = () => undefined
  const happens = new Promise<never>((_, fail) => {
    reject = fail
  })
  // Work that ends first has no more use for it.
  happens.catch(() => undefined)
  const listener = ctrlC(() => {
    const more = reached() ? '; what a node had begun it finishes, and the next run continues from there' : ''
    reject(new KraftError({ kind: 'interrupted', message: `Interrupted${more}` }))
  })
  for (const signal of signals) process.on(signal, listener)
  return {
    happens,
    ignore: () => {
      for (const signal of signals) process.off(signal, listener)
    },
  }
}
