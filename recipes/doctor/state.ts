import type { Node } from '../../engine/node/node.js'
import { machine } from '../status/machine.js'
import type { Check, Seen } from './check.js'
import { findingOf } from './finding.js'

/** How each node is, as `kraft status` reads it: disks, memory, the clock against this machine's, updates, a reboot that is due. */
export const state: Check = {
  name: 'state',
  title: 'State of the nodes',
  async look({ nodes, enter }) {
    const seen = await Promise.all(nodes.map(async (node) => ((await enter(node)) === undefined ? [await lookAt(node)] : [])))
    return seen.flat()
  },
}

async function lookAt(node: Node): Promise<Seen> {
  const about = `State of ${node.name}`
  try {
    const before = new Date()
    const printed = await node.read(`cd /; LC_ALL=C; export LC_ALL\n${machine.look().text}`)
    const { rows, attention } = machine.read(printed, { node, between: [before, new Date()] })
    const findings = attention.map((each) => ({ ...each, level: 'error' as const }))
    return { about, said: rows.map(([what, how]) => `${what} ${how}`).join('; '), findings }
  } catch (error) {
    return { about, said: '', findings: [findingOf(error)] }
  }
}
