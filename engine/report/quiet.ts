import type { Item, Line, Report } from './report.js'
import { runAll } from './run-all.js'

/** Runs the same work and shows none of it: errors and results are printed by whoever called kraft's tasks. */
export function quietReport(): Report {
  const list: Report['list'] = (items, options) => runAll(items, options?.concurrent ?? false, run)
  const line: Line = { title: () => undefined, output: () => undefined, skip: () => undefined, list }
  const run = async (item: Item) => item.run(line)
  return { list, note: () => undefined, nodes: () => undefined, aside: (other) => other(), stop: () => undefined }
}
