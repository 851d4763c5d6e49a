/** Does work, then tidies up. Where the work fails, that is told, and not that tidying up failed as well, which may have the same cause. */
export async function thenTidy<T>(work: () => Promise<T>, tidy: () => Promise<unknown>): Promise<T> {
  let value: T
  try {
    value = await work()
  } catch (error) {
    await tidy().catch(() => undefined)
    throw error
  }
  await tidy()
  return value
}
