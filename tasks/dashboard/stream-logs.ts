import type { SSEStreamingApi } from 'hono/streaming'
import type { LogEntry } from '../../project/log-entries.js'
import type { LogFeed } from './log-feed.js'

/** Which entries are wanted. */
export interface WantedEntries {
  /** A log by its name, `worker` with all its copies; all where that is empty. */
  readonly log: string
  /** Only what has this in it, in capitals or not; everything where that is empty. */
  readonly text: string
}

/** How many entries wait for a browser that is slower than the logs; the oldest go first. */
const most = 1000

/** Sends entries of logs as they come, as long as the page is open. */
export async function streamLogs(stream: SSEStreamingApi, feed: Pick<LogFeed, 'listen'>, wanted: WantedEntries): Promise<void> {
  let isClosed = false
  let wake: () => void = () => undefined
  stream.onAbort(() => {
    isClosed = true
    wake()
  })
  let names: readonly string[] | undefined
  let waiting: readonly LogEntry[] = []
  const end = feed.listen({
    names(all) {
      names = all
      wake()
    },
    lines(entries) {
      waiting = [...waiting, ...entries.filter((entry) => isWanted(entry, wanted))].slice(-most)
      wake()
    },
  })
  try {
    while (!isClosed) {
      if (names !== undefined) {
        const data = JSON.stringify(names)
        names = undefined
        await stream.writeSSE({ event: 'names', data })
      } else if (waiting.length > 0) {
        const data = JSON.stringify(waiting)
        waiting = []
        await stream.writeSSE({ event: 'lines', data })
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    end()
  }
}

/** Whether an entry is of the log and has the text. What kraft says of the reading itself is for everybody. */
export function isWanted(entry: LogEntry, { log, text }: WantedEntries): boolean {
  if (log !== '' && entry.log !== log && !entry.log.startsWith(`${log}.`)) return false
  const small = text.toLowerCase()
  return small === '' || entry.lines.some((line) => line.toLowerCase().includes(small))
}
