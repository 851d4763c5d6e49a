import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { kindNames, loadKind } from '../recipes/kinds.js'
import { askMissing } from './ask-missing.js'
import { chosenProvider } from './chosen-provider.js'
import { columns } from './columns.js'

/** Lists the nodes that are remembered. */
export const nodes = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  meantBy: ['servers', 'hosts'],
  help: 'list the nodes that kraft remembers',
  changes: 'nothing',
  examples: ['kraft nodes', 'kraft nodes --json', 'kraft nodes --provider ec2'],
  raw: true,
  options: {
    provider: option({
      type: 'string',
      choicesFrom: () => kindNames('providers'),
      help: 'those that kraft made there, remembered or not',
    }),
  },
  async run({ options, session }) {
    if (options.provider !== undefined) return madeAt(session, options.provider)
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
          const next = 'next' in error.failure ? error.failure.next : undefined
          session.report.note([`${record.name}: ${error.message}`, ...(next === undefined ? [] : [`  next: ${next}`])].join('\n'))
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

async function madeAt(session: Session, name: string): Promise<Result> {
  const { provider, settings } = await chosenProvider(session, { provider: name })
  if (provider.list === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `The provider ${name} cannot list its nodes`,
      next: 'kraft nodes lists those that kraft remembers',
    })
  }
  const found = await provider.list(await askMissing(session, provider, settings, 'look'))
  const records = (await session.inventory()).all()
  const rows = found.map((each) => ({
    ...each,
    remembered: records.find(({ id, provider: by }) => by === name && id === each.id)?.name ?? '',
  }))
  if (rows.length === 0) return new Result(`kraft made no nodes at ${name}`, [])
  return new Result(
    columns([
      ['NAME', 'STATE', 'ID', 'ADDRESS', 'REMEMBERED AS'],
      ...rows.map((row) => [row.name, row.state, row.id, row.address ?? '', row.remembered]),
    ]),
    rows,
  )
}
