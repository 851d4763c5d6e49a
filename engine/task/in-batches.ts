import type { Node } from '../node/node.js'
import type { Line } from '../report/report.js'
import { expectNodes, noteNode } from './node-ends.js'
import type { Session } from './session.js'
import { cut, spreadOut } from './spread.js'

/**
 * Works on several nodes together or, where `--batch` asks for it, on one part of them after the other: below a line for each
 * part, of which one that fails stops the next unless `--on-failure continue` says otherwise. A task whose body does this says
 * that it is `rolling`.
 *
 * @throws KraftError `several` where a part failed; where there is only one, its own failure.
 * @example
 * await inBatches(session, target.nodes, line, async (batch, own) => {
 *   for (const each of batch) await each.apply('Cache', [{ title: 'No cache', apply: sh`rm -rf /var/cache/shop` }], own)
 * })
 */
export async function inBatches(
  session: Session,
  nodes: readonly Node[],
  line: Line,
  run: (batch: readonly Node[], line: Line) => Promise<unknown>,
): Promise<void> {
  expectNodes(session, nodes)
  const { batch, onFailure = 'stop' } = session.spread ?? {}
  const batches = cut(nodes, batch)
  const note = (part: readonly Node[], status: 'ok' | 'not run') => {
    for (const { name } of part) noteNode(session, name, status)
  }
  const one = async (part: readonly Node[], own: Line) => {
    await run(part, own)
    note(part, 'ok')
  }
  if (batches.length === 1) return one(nodes, line)
  await spreadOut(
    (items, options) => line.list(items, options),
    batches.map((part) => ({
      title: part.map(({ name }) => name).join(', '),
      run: (own: Line) => one(part, own),
      notRun: () => note(part, 'not run'),
    })),
    { onFailure },
    false,
  )
}
