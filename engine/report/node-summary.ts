/** How a call of kraft ended on a node. `taken back`: what was done there was undone, because it failed on another. */
export type NodeStatus = 'ok' | 'changed' | 'taken back' | 'failed' | 'unreachable' | 'not run'

/** A node at the end of a call. */
export interface NodeEnd {
  readonly node: string
  readonly status: NodeStatus
  /** How many steps changed something; in a dry run: would change. */
  readonly changed: number
}

/** The ends of several nodes for a person: a line for each way to end, with its nodes. */
export function nodeSummary(ends: readonly NodeEnd[], dryRun = false): string {
  const rows = (['ok', 'changed', 'taken back', 'failed', 'unreachable', 'not run'] as const).flatMap((status) => {
    const nodes = ends.filter((end) => end.status === status)
    if (nodes.length === 0) return []
    const label = status === 'changed' && dryRun ? 'would change' : status
    return [[label, nodes.map(({ node, changed }) => (status === 'changed' ? `${node} (${changed})` : node)).join(', ')] as const]
  })
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, nodes]) => `${label.padEnd(width)}  ${nodes}`).join('\n')
}
