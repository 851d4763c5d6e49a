import type { Line } from '../report/report.js'

/** How often a transfer is told, in milliseconds: often enough for a terminal to seem alive. */
const every = 250
/** The rate is that of the last few seconds, so that it follows the line. */
const span = 5000

/**
 * Counts the bytes of a transfer and tells a line of the list how far it is, at which rate, and how long the rest will take.
 * Hand {@link Meter.count} to whatever moves bytes.
 *
 * @example const meter = new Meter(line, total); await sendStream(connection, open, command, meter.count)
 */
export class Meter {
  #done = 0
  #told = Number.NEGATIVE_INFINITY
  readonly #marks: { readonly at: number; readonly done: number }[] = []

  /** `total` in bytes; undefined where nobody knows it. `now` in milliseconds. */
  constructor(
    private readonly line: Pick<Line, 'progress'>,
    private readonly total: number | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#marks.push({ at: now(), done: 0 })
  }

  /** So many more bytes went through. */
  readonly count = (bytes: number): void => {
    this.#done += bytes
    const at = this.now()
    const complete = this.total !== undefined && this.#done >= this.total
    if (at - this.#told < every && !complete) return
    this.#told = at
    this.#marks.push({ at, done: this.#done })
    while (this.#marks.length > 2 && at - (this.#marks[1]?.at ?? at) > span) this.#marks.shift()
    const [first = { at, done: 0 }] = this.#marks
    const rate = at > first.at ? ((this.#done - first.done) * 1000) / (at - first.at) : 0
    const left = this.total === undefined ? undefined : Math.max(0, this.total - this.#done)
    const remaining = left === undefined || rate === 0 ? undefined : left / rate
    this.line.progress?.({ done: this.#done, total: this.total, rate: Math.round(rate), remaining })
  }
}
