let take: ((error: unknown) => void) | undefined
let isCut = false

const listener = (error: unknown) => {
  isCut = true
  take?.(error)
}

/**
 * What work gives, unless an error comes meanwhile that nobody awaits, of a timer or of a promise that was dropped: that is thrown.
 * Node.js itself would end at once and print all of it, secrets too. With `stuck` it is also thrown where nothing is left that could
 * end the work, of which Node.js would say nothing.
 *
 * @example await unlessStray(run(), () => new Error('it waits for something that never comes'))
 */
export async function unlessStray<T>(work: Promise<T>, stuck?: () => Error): Promise<T> {
  const before = take
  const failed = new Promise<never>((_, reject) => {
    take = reject
  })
  const idle = () => void (stuck !== undefined && take?.(stuck()))
  process.once('beforeExit', idle)
  if (before === undefined) process.on('uncaughtException', listener)
  try {
    return await Promise.race([work, failed])
  } finally {
    take = before
    process.off('beforeExit', idle)
    if (before === undefined) process.off('uncaughtException', listener)
  }
}

/** Whether such an error has cut work short, which may still wait for something. */
export function wasCutShort(): boolean {
  return isCut
}
