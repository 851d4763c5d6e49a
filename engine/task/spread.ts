import { type Ended, KraftError } from '../errors/failure.js'
import type { Item, Line } from '../report/report.js'

/** How a call of kraft goes over several nodes: what `--parallel`, `--batch` and `--on-failure` say. */
export interface Spread {
  /** How many at once, at most. */
  readonly parallel?: number
  /** One part after the other: so many at a time, or so many percent. */
  readonly batch?: Batch
  /** Whether the rest goes on where one fails; default: yes, but with batches the next one does not begin. */
  readonly onFailure?: 'continue' | 'stop'
  /** Seconds to wait for whoever changes the same project on a node now. */
  readonly wait?: number
}

/** The size of a batch: a number, or a percentage of all. */
export interface Batch {
  /** So many nodes. */
  readonly size: number
  /** So many of a hundred nodes, at least one. */
  readonly percent: boolean
}

/** An item of {@link spreadOut}. */
export interface SpreadItem extends Item {
  /** Called if it never began, because another one failed. */
  notRun?(): void
}

/**
 * Shows and runs items that do not depend on each other, as many at once and in such batches as was asked for.
 *
 * @throws KraftError `several` that says which failed, which are done and which did not run; of one item its own failure.
 * @example await spreadOut((items, options) => line.list(items, options), items, session.spread ?? {}, true)
 */
export async function spreadOut(
  list: Line['list'],
  items: readonly SpreadItem[],
  spread: Spread,
  width: boolean | number,
): Promise<void> {
  const failed = new Map<SpreadItem, unknown>()
  const done = new Set<SpreadItem>()
  const atOnce = spread.onFailure === 'stop'
  const atBatch = atOnce || (spread.batch !== undefined && spread.onFailure !== 'continue')
  const watch = (item: SpreadItem): Item => ({
    title: item.title,
    continue: true,
    async run(line) {
      if (atOnce && failed.size > 0) {
        item.notRun?.()
        return line.skip('not run: another one failed')
      }
      try {
        await item.run(line)
        done.add(item)
      } catch (error) {
        failed.set(item, error)
        throw error
      }
    },
  })
  for (const batch of cut(items, spread.batch)) {
    if (atBatch && failed.size > 0) for (const item of batch) item.notRun?.()
    else {
      // What failed is told at the end, of all batches together.
      await list(batch.map(watch), { concurrent: spread.parallel ?? width }).catch((error: unknown) => {
        if (failed.size === 0) throw error
      })
    }
  }
  check(items, failed, done)
}

function check(items: readonly SpreadItem[], failed: ReadonlyMap<SpreadItem, unknown>, done: ReadonlySet<SpreadItem>): void {
  if (failed.size === 0) return
  if (items.length === 1) throw failed.values().next().value
  const ended: Ended[] = []
  const titles: { done: string[]; waiting: string[] } = { done: [], waiting: [] }
  for (const item of items) {
    if (failed.has(item)) ended.push({ title: item.title, error: failed.get(item) })
    else titles[done.has(item) ? 'done' : 'waiting'].push(item.title)
  }
  throw new KraftError({ kind: 'several', failed: ended, ...titles })
}

/** The parts of which one comes after the other; one that holds all where no batches were asked for. */
export function cut<T>(items: readonly T[], batch: Batch | undefined): readonly (readonly T[])[] {
  if (batch === undefined) return [items]
  const size = Math.max(1, batch.percent ? Math.floor((items.length * batch.size) / 100) : batch.size)
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))
}
