/** What a program said at one moment: a line, or a traceback with all that belongs to it. */
export interface LogEntry {
  readonly node: string
  /** The log's name: `web`, `worker.2`, `nginx.access`. */
  readonly log: string
  /** Milliseconds since 1970; undefined for what stands before the first line that has a time. */
  readonly time: number | undefined
  readonly lines: readonly string[]
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z /
const access = /^[^[]*\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\]/
const nginxError = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) \[/
const redis = /^\d+:[A-Z] (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d(?:\.\d+)?) /

/**
 * When a line was written, as it says itself: stamped by kraft, or in the way of nginx or redis. `offset`: seconds that the node's
 * own time is ahead of UTC, for those who write that.
 */
export function timeOf(line: string, offset: number): number | undefined {
  const stamped = stamp.exec(line)
  if (stamped !== null) return valid(Date.parse(stamped[0].trimEnd()))
  const asked = access.exec(line)
  if (asked !== null) {
    const [, day = '', month = '', year = '', time = '', hours = '', minutes = ''] = asked
    return utc(year, monthNumber(month), day, time, `${hours}:${minutes}`)
  }
  const error = nginxError.exec(line)
  if (error !== null) {
    const [, year = '', month = '', day = '', time = ''] = error
    return minus(utc(year, month, day, time), offset)
  }
  const [found, day = '', month = '', year = '', time = ''] = redis.exec(line) ?? []
  return found === undefined ? undefined : minus(utc(year, monthNumber(month), day, time), offset)
}

function utc(year: string, month: string, day: string, time: string, zone = 'Z'): number | undefined {
  return valid(Date.parse(`${year}-${month}-${day}T${time}${zone}`))
}

function monthNumber(name: string): string {
  return String(months.indexOf(name) + 1).padStart(2, '0')
}

function minus(time: number | undefined, seconds: number): number | undefined {
  return time === undefined ? undefined : time - seconds * 1000
}

function valid(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time
}

/** Puts the lines of one log together to entries: what is indented, and all of a traceback, belongs to what stands before. */
export function entriesOf(node: string, log: string, lines: readonly string[], offset: number): readonly LogEntry[] {
  const entries: { node: string; log: string; time: number | undefined; lines: string[] }[] = []
  let traceback = false
  for (const line of lines) {
    const text = line.replace(stamp, '')
    const last = entries.at(-1)
    const begins = /^(?:\s*\S.*)?Traceback \(most recent call last\):$/.test(text)
    const indented = /^\s+\S/.test(text)
    const linked = /^(During handling of the above exception|The above exception was the direct cause)/.test(text)
    // The line that is not indented ends it: the exception. Between two that belong together stands an empty one.
    const blank = text.trim() === ''
    const belongs =
      last !== undefined && (indented || linked || blank || traceback || (begins && (joins(last) || headed(last, text))))
    const time = timeOf(line, offset)
    if (belongs && last !== undefined) last.lines.push(line)
    else entries.push({ node, log, time: time ?? last?.time, lines: [line] })
    if (begins) traceback = true
    else if (!indented && !blank) traceback = false
  }
  return entries
}

// A second traceback of the same failure.
function joins({ lines }: { readonly lines: readonly string[] }): boolean {
  const last = (lines.at(-1) ?? '').replace(stamp, '').trim()
  const before = (lines.at(-2) ?? '').replace(stamp, '')
  return last === '' && /^(During handling of|The above exception)/.test(before)
}

// What logging says before it, as in "Internal Server Error: /" or "[ERROR] Error handling request /".
function headed({ lines }: { readonly lines: readonly string[] }, text: string): boolean {
  return lines.length === 1 && text.startsWith('Traceback') && /error|exception|fail|critical/i.test(lines[0] ?? '')
}

/** Entries of several logs and nodes in the order of their times. Those of one log keep their order. */
export function byTime(logs: readonly (readonly LogEntry[])[]): readonly LogEntry[] {
  const timed = logs.flatMap((entries) => {
    let latest = Number.NEGATIVE_INFINITY
    return entries.map((entry) => {
      latest = Math.max(latest, entry.time ?? latest)
      return { entry, time: latest }
    })
  })
  // A sort of equal times leaves them as they are. Infinity minus itself is no number.
  return timed.sort((a, b) => (a.time === b.time ? 0 : a.time - b.time)).map(({ entry }) => entry)
}
