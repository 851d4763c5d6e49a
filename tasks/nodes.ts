import { isKraftError } from '../engine/errors/failure.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { columns } from './columns.js'

/** Lists the nodes that are remembered. */
export const nodes = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: 'list the nodes that kraft remembers',
  examples: ['kraft nodes', 'kraft nodes --json'],
  raw: true,
  async run({ session }) {
    const { loadKind } = await import('../recipes/kinds.js')
    const { providers } = session.user
    const records = (await session.inventory()).all()
    const states = await Promise.all(
      records.map(async (record) => {
        // One node that can't be asked must not hide the others.
        try {
          const provider = await loadKind('providers', record.provider)
          return await provider.describe(record, providers[record.provider] ?? {})
        } catch (error) {
          if (!isKraftError(error)) throw error
          session.report.note(`${record.name}: ${error.message}`)
          return 'unknown'
        }
      }),
    )
    const rows = records.map(({ name, provider, address, user: login, port }, index) => ({
      name,
      provider,
      address,
      user: login,
      port: port ?? 22,
      state: states[index] ?? 'missing',
    }))
    if (rows.length === 0) return new Result('No nodes yet. Make one: kraft provision NAME', [])
    return new Result(
      columns([
        ['NAME', 'STATE', 'PROVIDER', 'ADDRESS', 'USER'],
        ...rows.map((row) => [row.name, row.state, row.provider, row.address, row.user]),
      ]),
      rows,
    )
  },
})
