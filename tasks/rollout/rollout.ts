import type { Node } from '../../engine/node/node.js'
import type { NodeLock } from '../../engine/node/node-lock.js'
import type { Item, Line } from '../../engine/report/report.js'
import type { Applied } from '../../engine/step/show.js'
import type { Session } from '../../engine/task/session.js'
import type { Application } from '../../recipes/application.js'
import type { Switched } from '../../recipes/gunicorn.js'
import type { Release } from '../../recipes/release.js'
import type { InstanceState } from '../../recipes/state.js'
import type { Balancing } from './balance.js'

/** One change of what an instance serves, on all its nodes or on a batch of them: a deploy, a rollback or a reload. */
export interface Rollout {
  readonly application: Application
  readonly nodes: readonly Node[]
  readonly session: Session
  /** For the log on the node: `deploy`. */
  readonly task: string
  /** What is new, and goes if it is taken back: the release, or processes of one that was there. */
  readonly made: 'release' | 'generation'
  /** What is renamed on a node: one that serves the release already only gets new processes of it. */
  switched(node: Node): Switched
  /** What each node is to serve; a reload finds out on the node which release is current. */
  releaseOn(node: Node): Release
  readonly locks: Map<string, NodeLock>
  /** What each node was when its lock was taken. */
  readonly states: Map<string, InstanceState>
  /** Nodes that had nothing of this instance before: a first deploy that fails leaves nothing behind. */
  readonly fresh: Set<string>
  /** The parts that have begun on some node, in whatever batch. */
  readonly begun: Set<string>
  /** Nodes that have switched and stay so. */
  readonly switchedOn: Set<string>
  /** Who sends requests to the nodes; undefined where visitors reach them by themselves. */
  readonly balancing?: Balancing | undefined
  /** What ran on each node, with the title of its part. */
  readonly applied: { readonly node: string; readonly title: string; readonly applied: Applied }[]
}

/** What a rollout begins with. */
export function rollout(
  given: Pick<Rollout, 'application' | 'nodes' | 'session' | 'task' | 'made' | 'switched' | 'releaseOn' | 'balancing'>,
): Rollout {
  return { ...given, locks: new Map(), states: new Map(), fresh: new Set(), begun: new Set(), switchedOn: new Set(), applied: [] }
}

/** An item that does the same on all nodes, side by side; with one node there is no level for it. */
export function onEach(
  { nodes, session }: Pick<Rollout, 'nodes' | 'session'>,
  title: string,
  run: (node: Node, line: Line) => Promise<unknown>,
): Item {
  return {
    title,
    run: async (line) => {
      const [only] = nodes
      if (nodes.length === 1 && only !== undefined) await run(only, line)
      else
        await line.list(
          nodes.map((node) => ({ title: node.name, run: (own) => run(node, own).then(() => undefined) })),
          { concurrent: session.spread?.parallel ?? true },
        )
    },
  }
}
