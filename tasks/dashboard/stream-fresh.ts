import { setTimeout as sleep } from 'node:timers/promises'
import type { SSEStreamingApi } from 'hono/streaming'

/** Milliseconds: what becomes known at nearly the same time is sent at once. */
const together = 250

/** Sends what a page shows whenever that has changed, as long as the page is open. */
export async function streamFresh(
  stream: SSEStreamingApi,
  render: () => Promise<string | undefined>,
  listen: (listener: () => void) => () => void,
): Promise<void> {
  const closed = new AbortController()
  stream.onAbort(() => closed.abort())
  let wake: () => void = () => undefined
  let isNew = true
  const end = listen(() => {
    isNew = true
    wake()
  })
  closed.signal.addEventListener('abort', () => wake(), { once: true })
  let sent: string | undefined
  try {
    while (!closed.signal.aborted) {
      if (!isNew) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      isNew = false
      const now = await render()
      if (now !== undefined && now !== sent) await stream.writeSSE({ event: 'fresh', data: now })
      sent = now
      await sleep(together, undefined, { signal: closed.signal }).catch(() => undefined)
    }
  } finally {
    end()
  }
}
