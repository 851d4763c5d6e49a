import { test } from 'vitest'

/**
 * Tests of one file that build on each other. After one that the others need has failed, those fail at once and say why,
 * instead of running into their timeouts one by one.
 */
export function chapters() {
  let failed: string | undefined
  const reached = () => {
    if (failed !== undefined) throw new Error(`Not reached, because this failed: ${failed}`)
  }
  return {
    /** A test, with a limit of its own in milliseconds where it needs one. */
    chapter(title: string, run: () => Promise<void>, limit?: number): void {
      test(
        title,
        async () => {
          reached()
          await run()
        },
        limit,
      )
    },
    /** A test that all that follow need. */
    essential(title: string, run: () => Promise<void>): void {
      test(title, async () => {
        reached()
        try {
          await run()
        } catch (error) {
          failed = title
          throw error
        }
      })
    },
  }
}
