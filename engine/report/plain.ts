import type { Item, Line, Report } from './report.js'
import { runAll } from './run-all.js'

/** Plain lines without cursor tricks, for CI and pipes: a line when something starts, its output, a line when it ended. */
export function plainReport(write: (text: string) => void): Report {
  const list = (items: readonly Item[], depth: number, concurrent: boolean | number = false): Promise<void> =>
    runAll(items, concurrent, (item) => runItem(item, depth))

  const runItem = async (item: Item, depth: number): Promise<void> => {
    const indent = '  '.repeat(depth)
    let title = item.title
    let skipped: string | undefined
    let shown = false
    const say = (mark: string, text: string) => write(`${indent}${mark} ${text}\n`)
    const line: Line = {
      title: (text) => {
        title = text
      },
      output: (text) => write(`${indent}  | ${text}\n`),
      skip: (reason) => {
        skipped = reason
      },
      list: (items, options) => {
        if (!shown) say('>', title)
        shown = true
        return list(items, depth + 1, options?.concurrent)
      },
    }
    try {
      await item.run(line)
    } catch (error) {
      say('x', title)
      throw error
    }
    if (skipped !== undefined) say('-', `${title} (${skipped})`)
    else say('*', title)
  }
  return {
    list: (items, options) => list(items, 0, options?.concurrent),
    note: (text) => write(`${text}\n`),
  }
}
