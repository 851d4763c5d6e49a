import type { NodeRecord } from '../../engine/node/record.js'
import { sshOptions } from '../../engine/ssh/config.js'
import { destinationOf } from '../../engine/ssh/destination.js'
import { dial } from '../../engine/ssh/dial.js'
import type { Check, Seen } from './check.js'
import { findingOf, wrong } from './finding.js'

/**
 * The way to each node. With a target: the address and port answer, the host key is the right one, the login is let in and may become
 * root. Without one: does something answer there, of all nodes at once.
 */
export const login: Check = {
  name: 'login',
  title: 'The way to the nodes',
  async look({ targets, nodes, remembered, enter }) {
    if (targets.length === 0) return Promise.all(remembered.map(knock))
    const lost = targets
      .filter((target) => target.nodes.length === 0)
      .map(({ word }) => {
        const finding = wrong(
          'Its nodes are not known, because settings are wrong',
          `Correct those first, then: kraft doctor:${word}`,
        )
        return { about: word, said: '', findings: [finding] }
      })
    const seen = await Promise.all(
      nodes.map(async (node) => {
        const finding = await enter(node)
        const { user, address, port = 22 } = node.record
        const said = `lets ${user} in at ${address}${port === 22 ? '' : `:${port}`}, shows its own host key, and gives root`
        return { about: node.name, said, findings: finding === undefined ? [] : [finding] }
      }),
    )
    return [...lost, ...seen]
  },
}

// A node that nobody asked for may well be off: that it is silent is worth a word and no more.
async function knock(record: NodeRecord): Promise<Seen> {
  const about = record.name
  try {
    const destination = destinationOf(record)
    const options = await sshOptions(destination)
    if (options.jumps.length > 0 || options.proxyCommand !== undefined) {
      return {
        about,
        said: `is behind ${options.jumps.join(', ') || 'a ProxyCommand'}: kraft doctor:${about} looks`,
        findings: [],
      }
    }
    const socket = await dial({ ...options, node: record.name, isFenced: destination.isFenced })
    socket.destroy()
    return { about, said: `answers at ${options.hostName}; kraft doctor:${about} says more`, findings: [] }
  } catch (error) {
    return { about, said: '', findings: [{ ...findingOf(error), level: 'warning' }] }
  }
}
