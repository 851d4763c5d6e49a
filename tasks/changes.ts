import type { Applied } from '../engine/step/show.js'

/** How many steps changed a node, for the summary of a task. */
export interface Changes {
  readonly node: string
  /** In a dry run: would have changed. */
  readonly changed: number
  readonly ok: number
  readonly skipped: number
}

/** Adds up what several scripts did on a node. */
export function countChanges(node: string, applied: readonly Applied[]): Changes {
  const sum = (count: (each: Applied['counts']) => number) => applied.reduce((total, each) => total + count(each.counts), 0)
  return {
    node,
    changed: sum(({ changed, changes, maybe }) => changed + changes + maybe),
    ok: sum(({ ok }) => ok),
    skipped: sum(({ skipped }) => skipped),
  }
}
