// Nodes that a home remembers once more, behind a cable with latency.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { startDelay } from './delay.mjs'

/**
 * Puts a delaying proxy in front of nodes of a home and remembers each again as `far-NAME`; `milliseconds` is the delay of one
 * direction. Gives those names and what undoes it all.
 */
export async function overCable(home, nodes, milliseconds) {
  const file = join(home, '.kraftwerk', 'nodes.yaml')
  const before = readFileSync(file, 'utf8')
  const document = parseDocument(before)
  const cables = await Promise.all(
    nodes.map(async (name) => ({ name, ...(await startDelay(22, milliseconds, document.getIn([name, 'address']))) })),
  )
  for (const { name, port } of cables) {
    const record = document.get(name).clone()
    document.set(`far-${name}`, record)
    document.setIn([`far-${name}`, 'address'], '127.0.0.1')
    document.setIn([`far-${name}`, 'port'], port)
    document.setIn([`far-${name}`, 'provider'], 'static')
  }
  writeFileSync(file, document.toString(), { mode: 0o600 })
  const names = nodes.map((name) => `far-${name}`)
  return {
    names,
    /** Round trips over the first of them since the last call. */
    turns: () => cables[0]?.turns() ?? 0,
    /** How often somebody connected to the first of them. */
    connections: () => cables[0]?.connections() ?? 0,
    stop: async () => {
      writeFileSync(file, before, { mode: 0o600 })
      for (const cable of cables) await cable.stop()
    },
  }
}
