import { wrap } from './wrap.js'

/** How a call of kraft ended on a node. `taken back`: what was done there was undone, because it failed on another. */
export type NodeStatus = 'ok' | 'changed' | 'taken back' | 'failed' | 'unreachable' | 'not run'

/** A node at the end of a call. */
export interface NodeEnd {
  readonly node: string
  readonly status: NodeStatus
  /** How many steps changed something; in a dry run: would change. */
  readonly changed: number
}

/** How {@link nodeSummary} is written. */
export interface SummaryOptions {
  readonly dryRun?: boolean
  /** The width of the terminal, at which names go on in the next line. */
  readonly columns?: number
}

/** The ends of several nodes for a person: a line for each way to end, with its nodes. */
export function nodeSummary(ends: readonly NodeEnd[], { dryRun = false, columns = Infinity }: SummaryOptions = {}): string {
  const rows = (['ok', 'changed', 'taken back', 'failed', 'unreachable', 'not run'] as const).flatMap((status) => {
    const nodes = ends.filter((end) => end.status === status)
    if (nodes.length === 0) return []
    const label = status === 'changed' && dryRun ? 'would change' : status
    return [{ label, names: nodes.map(({ node, changed }) => (status === 'changed' ? `${node} (${changed})` : node)) }]
  })
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2
  return rows
    .map(({ label, names }) => {
      const words = names.map((name, index) => (index === names.length - 1 ? name : `${name},`))
      return label.padEnd(width) + wrap(words, columns - width).join(`\n${' '.repeat(width)}`)
    })
    .join('\n')
}
