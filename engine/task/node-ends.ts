import { explain } from '../errors/explain.js'
import type { NodeEnd, NodeStatus } from '../report/node-summary.js'
import type { Result } from './result.js'
import type { Session } from './session.js'

type Noted = Exclude<NodeStatus, 'changed'>

// The worst of several tasks is what counts for a node.
const order: readonly Noted[] = ['ok', 'not run', 'taken back', 'unreachable', 'failed']
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

/**
 * Notes how a body that works on several nodes together left them when it failed: those that the failure names have failed, those
 * where steps ran are done as far as it came, and of the others that were expected nothing better is known than that it failed.
 */
export function noteFailure(session: Session, nodes: readonly { readonly name: string }[], error: unknown): void {
  const failed = new Map(failedNodes(error))
  for (const { name } of nodes) {
    const status = failed.get(name)
    if (status !== undefined) noteNode(session, name, status)
    else if (session.applied.has(name)) noteNode(session, name, 'ok')
    else if (isExpected(session, name)) noteNode(session, name, 'failed')
  }
}

function isExpected(session: Session, node: string): boolean {
  const ends = noted.get(session)
  return ends?.has(node) === true && ends.get(node) === undefined
}

/** The nodes that a failure names, at whatever depth. */
function failedNodes(error: unknown): readonly (readonly [string, Noted])[] {
  const failure = explain(error)?.failure
  if (failure?.kind === 'several') return failure.failed.flatMap((ended) => failedNodes(ended.error))
  return failure !== undefined && 'node' in failure && failure.node !== undefined ? [[failure.node, statusOf(error)]] : []
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
