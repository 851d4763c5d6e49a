import type { Node } from '../../engine/node/node.js'
import type { NodeRecord } from '../../engine/node/record.js'
import type { Target } from '../../engine/task/context.js'
import type { Session } from '../../engine/task/session.js'
import type { Finding } from './finding.js'

/** What a check of `kraft doctor` may look at. */
export interface Surroundings {
  readonly session: Session
  /** What stood behind the colon, as far as it could be found; none without a target. */
  readonly targets: readonly Target[]
  /** The nodes of the targets that are to be looked at, each once. */
  readonly nodes: readonly Node[]
  /** The nodes that are remembered, without a target those that are to be looked at; none where nodes.yaml can't be read. */
  readonly remembered: readonly NodeRecord[]
  /** Logs in on a node and becomes root there, once for all checks. Says what stands in the way. */
  enter(node: Node): Promise<Finding | undefined>
}

/** What was looked at, and how it is. */
export interface Seen {
  /** In a few words: a program, a file, a node. */
  readonly about: string
  /** How it is, where all is well. */
  readonly said: string
  readonly findings: readonly Finding[]
}

/**
 * One check of `kraft doctor`: one file in this folder, and its line in checks.ts. It looks and changes nothing. What it throws is
 * a finding as well.
 *
 * @example export const git: Check = { name: 'git', title: 'git', look: async () => [{ about: 'git', said: '2.39', findings: [] }] }
 */
export interface Check {
  /** Its key in `--json`. */
  readonly name: string
  /** What people see while it runs. */
  readonly title: string
  look(around: Surroundings): Promise<readonly Seen[]>
}
