import { KraftError } from '../errors/failure.js'
import type { Item } from './report.js'

/** Notes how the items of one list end, so that every renderer fails in the same way. */
export class Outcomes {
  private readonly failed = new Map<Item, unknown>()
  private readonly done = new Set<Item>()

  constructor(private readonly items: readonly Item[]) {}

  /** Runs an item and notes how it ends; what it throws is thrown on. */
  async note(item: Item, run: () => Promise<void>): Promise<void> {
    try {
      await run()
      this.done.add(item)
    } catch (error) {
      this.failed.set(item, error)
      throw error
    }
  }

  /** Throws what the list fails with: the one failure itself, or of items that go on without each other which failed. */
  check(): void {
    if (this.failed.size === 0) return
    const failed = this.items.filter((item) => this.failed.has(item))
    const independent = this.items.length > 1 && this.items.every((item) => item.continue === true)
    if (!independent && failed.length === 1) throw this.failed.values().next().value
    throw new KraftError({
      kind: 'several',
      failed: failed.map((item) => ({ title: item.title, error: this.failed.get(item) })),
      done: this.items.filter((item) => this.done.has(item)).map(({ title }) => title),
    })
  }
}
