import type { Item } from './report.js'

/** Runs items in order, or so many at once; what has started ends before the first failure is thrown. */
export async function runAll(
  items: readonly Item[],
  concurrent: boolean | number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await run(item)
      } catch (error) {
        failures.push(error)
        // One after the other means that the rest relies on what failed; side by side they are independent.
        if (item.continue !== true && concurrent === false) return
      }
    }
  }
  const width = concurrent === false ? 1 : concurrent === true ? items.length : concurrent
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker))
  if (failures.length > 0) throw failures[0]
}
