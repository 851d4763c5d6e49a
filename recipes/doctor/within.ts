/**
 * What a promise gives within so many milliseconds, else undefined. It goes on unheard, and does not keep the process.
 *
 * @example (await within(10_000, provider.list(settings))) ?? 'no answer'
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
