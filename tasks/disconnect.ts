import { disconnect as endConnections } from '../engine/ssh/warm/disconnect.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'

/** Ends the connections that stay open for the next command. */
export const disconnect = task({
  on: 'once',
  needs: 'nothing',
  optionalTarget: true,
  group: 'Nodes',
  help: 'end the connections that stay open between commands',
  changes: 'nothing; connections to it end',
  examples: ['kraft disconnect', 'kraft disconnect:one'],
  raw: true,
  async run({ target, session }) {
    const named = target.word === '' ? undefined : await session.resolve(target.word, 'nodes', false)
    const names = named?.flatMap(({ nodes }) => nodes.map(({ name }) => name))
    if (session.flags.dryRun) {
      const what = names === undefined ? 'every connection that is open' : `the connections to ${names.join(', ')}`
      return new Result(`Would end ${what}`, { nodes: names ?? 'all' })
    }
    const open = await endConnections(({ node }) => names?.includes(node) ?? true)
    const rows = open.map(({ node, user, address, port }) => ({ node, user, address, port }))
    const said = rows.map(({ node, user, address, port }) => `Ended the connection to ${node} (${user}@${address}, port ${port})`)
    return new Result(said.length === 0 ? 'No connection is open' : said.join('\n'), rows)
  },
})
