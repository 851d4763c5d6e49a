import { KraftError } from '../errors/failure.js'
import { ctrlC } from '../ssh/ctrl-c.js'

/** Ctrl-C as a failure. */
export interface Interruption {
  /** Rejects with `interrupted` at the first Ctrl-C. */
  readonly happens: Promise<never>
  /** Ctrl-C has its own meaning again. */
  ignore(): void
}

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
  process.on('SIGINT', listener)
  return { happens, ignore: () => void process.off('SIGINT', listener) }
}
