import { explain } from '../errors/explain.js'
import type { Result } from './result.js'
import type { Session } from './session.js'

/** How a call of kraft ended on a node. */
export type NodeStatus = 'ok' | 'changed' | 'failed' | 'unreachable' | 'not run'

/** A node at the end of a call. */
export interface NodeEnd {
  readonly node: string
  readonly status: NodeStatus
  /** How many steps changed something; in a dry run: would change. */
  readonly changed: number
}

type Noted = Exclude<NodeStatus, 'changed'>

// The worst of several tasks is what counts for a node.
const order: readonly Noted[] = ['ok', 'not run', 'unreachable', 'failed']
const noted = new WeakMap<Session, Map<string, Noted | undefined>>()

/** Says which nodes are about to be worked on, so that they are told in this order. */
export function expectNodes(session: Session, nodes: readonly { readonly name: string }[]): void {
  const ends = noted.get(session) ?? new Map<string, Noted | undefined>()
  noted.set(session, ends)
  for (const { name } of nodes) if (!ends.has(name)) ends.set(name, undefined)
}

/** Notes how a task ended on a node. */
export function noteNode(session: Session, node: string, status: Noted): void {
  expectNodes(session, [])
  const ends = noted.get(session) ?? new Map<string, Noted | undefined>()
  const before = ends.get(node)
  if (before === undefined || order.indexOf(before) < order.indexOf(status)) ends.set(node, status)
}

/** What a failure means for the node that it happened on. */
export function statusOf(error: unknown): 'failed' | 'unreachable' {
  const kind = explain(error)?.failure.kind
  return kind === 'unreachable' || kind === 'host-key' ? 'unreachable' : 'failed'
}

/** How the call ended on each node that was noted, with what its steps changed. */
export function nodeEnds(session: Session): readonly NodeEnd[] {
  return [...(noted.get(session) ?? [])].flatMap(([node, status]) => {
    if (status === undefined) return []
    const changed = (session.applied.get(node) ?? []).reduce(
      (sum, { counts }) => sum + counts.changed + counts.changes + counts.maybe,
      0,
    )
    return { node, status: status === 'ok' && changed > 0 ? 'changed' : status, changed }
  })
}

const partial = new WeakMap<Session, Map<string, Result>>()

/** Keeps what a task handed back on the nodes of a target that did not fail, because the failure of the others is thrown. */
export function keepPartial(session: Session, target: string, result: Result): void {
  const results = partial.get(session) ?? new Map<string, Result>()
  partial.set(session, results.set(target, result))
}

/** What {@link keepPartial} kept. */
export function partialOf(session: Session, target: string): Result | undefined {
  return partial.get(session)?.get(target)
}

/** The ends of several nodes for a person: a line for each way to end, with its nodes. */
export function nodeSummary(ends: readonly NodeEnd[], dryRun = false): string {
  const rows = (['ok', 'changed', 'failed', 'unreachable', 'not run'] as const).flatMap((status) => {
    const nodes = ends.filter((end) => end.status === status)
    if (nodes.length === 0) return []
    const label = status === 'changed' && dryRun ? 'would change' : status
    return [[label, nodes.map(({ node, changed }) => (status === 'changed' ? `${node} (${changed})` : node)).join(', ')] as const]
  })
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, nodes]) => `${label.padEnd(width)}  ${nodes}`).join('\n')
}
