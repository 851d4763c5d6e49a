import { Outcomes } from './outcomes.js'
import type { Item } from './report.js'

/** Runs items in order, or so many at once; what has started ends before a failure is thrown. */
export async function runAll(
  items: readonly Item[],
  concurrent: boolean | number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const outcomes = new Outcomes(items)
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      const each = item
      const ended = await outcomes
        .note(each, () => run(each))
        .then(
          () => true,
          () => false,
        )
      if (!ended && !goesOn(each, concurrent)) return
    }
  }
  const width = concurrent === false ? 1 : concurrent === true ? items.length : concurrent
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker))
  outcomes.check()
}

/** Whether the rest of a list runs though this item failed: one after the other relies on what came before, side by side not. */
export function goesOn(item: Item, concurrent: boolean | number): boolean {
  return item.continue === true || concurrent !== false
}
