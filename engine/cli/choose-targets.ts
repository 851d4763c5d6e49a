import { KraftError } from '../errors/failure.js'
import type { NodeEnd } from '../report/node-summary.js'
import type { Target } from '../task/context.js'
import type { Task } from '../task/task.js'
import { lastFailed, type RunKey, rememberRun } from './last-run.js'
import { limitTargets, onlyNodes, type SpreadValues } from './spread-options.js'

/** The task that was called, and the project's folder where there is one. */
export type Called = Omit<RunKey, 'target'>

/**
 * The targets with the nodes that `--limit` and `--retry-failed` leave; none if the last run failed nowhere.
 *
 * @throws KraftError `usage` for a pattern that fits no node, or where there was no run that could be retried.
 */
export async function chooseTargets(
  targets: readonly Target[],
  values: SpreadValues,
  called: Called,
): Promise<readonly Target[]> {
  const limited = limitTargets(targets, Array.isArray(values.limit) ? values.limit : [])
  if (values['retry-failed'] !== true) return limited
  const failed = await Promise.all(limited.map(({ word }) => lastFailed({ ...called, target: word })))
  if (failed.every((names) => names === undefined)) {
    throw new KraftError({
      kind: 'usage',
      message: `${called.task} has not run there yet, so there is nothing to retry`,
      next: 'Leave --retry-failed out',
    })
  }
  return onlyNodes(limited, ({ name }, target) => failed[limited.indexOf(target)]?.includes(name) === true)
}

/** A target at the end of a call. */
export interface EndedTarget {
  readonly target: Target
  readonly done: boolean
}

/** How a call ended, beside what it was. */
export interface HowEnded {
  readonly ends: readonly NodeEnd[]
  /** It left nodes of its targets out. */
  readonly limited: boolean
  readonly interrupted: boolean
  /** It went over the nodes in batches. */
  readonly batches: boolean
}

/** Remembers for `--retry-failed` how a call ended. */
export async function rememberEnds(
  task: Task,
  called: Called,
  ended: readonly EndedTarget[],
  { ends, limited, interrupted, batches }: HowEnded,
): Promise<void> {
  const status = new Map(ends.map((end) => [end.node, end.status]))
  // After Ctrl-C whatever is not known to be done counts as failed; else a node that was not meant to run is none that failed.
  const isBad = (name: string) => {
    const how = status.get(name)
    return how === undefined ? interrupted : how !== 'ok' && how !== 'changed'
  }
  for (const { target, done } of ended) {
    const names = target.nodes.map(({ name }) => name)
    if (names.length === 0) continue
    const bad = byNode(task, batches) ? names.filter(isBad) : []
    // Whatever works on all nodes together, or stopped in the middle, has failed on all of them.
    const failed = done ? [] : bad.length > 0 ? bad : names
    await rememberRun({ ...called, target: target.word }, names, failed, limited)
  }
}

function byNode({ spec }: Task, batches: boolean): boolean {
  return spec.on !== 'once' || spec.independent === true || (spec.rolling === true && batches)
}
