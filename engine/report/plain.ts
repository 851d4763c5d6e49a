import { nodeSummary } from './node-summary.js'
import { paintDiff } from './paint-diff.js'
import { progressText } from './progress-text.js'
import { type Item, type Line, type Mark, marked, type Report } from './report.js'
import { runAll } from './run-all.js'

/** Milliseconds between two lines about one transfer. */
const seldom = 5000

/** How {@link plainReport} writes. */
export interface PlainOptions {
  /** Also steps that had nothing to do, and all output. */
  readonly everything?: boolean
  /** Diffs in colours. */
  readonly color?: boolean
}

/**
 * Plain lines without cursor tricks, for CI and pipes: a line when something with parts starts, one for each part that did
 * something. What runs side by side says on each line whose it is.
 */
export function plainReport(print: (text: string) => void, { everything = false, color = false }: PlainOptions = {}): Report {
  let stopped = false
  const write = (text: string) => {
    if (!stopped) print(text)
  }
  const list = (items: readonly Item[], start: string, options: Parameters<Line['list']>[1] = {}): Promise<void> => {
    const { concurrent = false } = options
    const together = concurrent !== false && items.length > 1
    return runAll(items, concurrent, (item) => runItem(item, together ? `${start}[${item.title}] ` : start))
  }

  const runItem = async (item: Item, start: string): Promise<void> => {
    let title = item.title
    let mark: Mark | undefined
    let skipped: string | undefined
    let opened = false
    // What is quick is told by its end alone.
    let told = performance.now()
    const say = (sign: string, text: string) => write(`${start}${sign} ${text}\n`)
    const line: Line = {
      title: (text, how) => {
        title = text
        mark = how
      },
      output: (text, kind) => {
        const painted = kind === 'diff' && color ? paintDiff(text) : text
        if (kind !== 'detail' || everything) write(`${start}  | ${painted}\n`)
      },
      progress: (at) => {
        const now = performance.now()
        if (now - told < seldom) return
        told = now
        write(`${start}  | ${title}: ${progressText(at)}\n`)
      },
      skip: (reason) => {
        skipped = reason
      },
      list: (items, options) => {
        if (!opened) say('>', title)
        opened = true
        return list(items, `${start}  `, options)
      },
    }
    try {
      await item.run(line)
    } catch (error) {
      say('x', title)
      throw error
    }
    if (skipped !== undefined) say('-', `${title} (${skipped})`)
    else if (!opened && (mark !== 'ok' || everything)) say('*', marked(title, mark))
  }
  return {
    list: (items, options) => list(items, '', options),
    note: (text) => write(`${text}\n`),
    nodes: (ends, { dryRun }) => write(`${nodeSummary(ends, { dryRun })}\n`),
    aside: (other) => other(),
    stop: () => {
      stopped = true
    },
  }
}
