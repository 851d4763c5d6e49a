import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { columns } from './columns.js'

/** Shows what is set for the user, and where. */
export const config = task({
  on: 'once',
  needs: 'nothing',
  group: 'Nodes',
  help: 'show the settings of ~/.kraftwerk.yaml and the providers as they count, and where each comes from',
  examples: ['kraft config', 'kraft config --json'],
  raw: true,
  async run({ session }) {
    const [{ effective }, { kindNames, loadKind }] = await Promise.all([
      import('../engine/config/effective.js'),
      import('../recipes/kinds.js'),
    ])
    const { user } = session
    const names = kindNames('providers')
    const used = names.filter((name) => name === (user.provider ?? 'local') || Object.hasOwn(user.providers, name))
    const providers = await Promise.all(used.map((name) => loadKind('providers', name)))
    const rows = await effective(user, names, providers)
    return new Result(
      columns([['SETTING', 'VALUE', 'FROM'], ...rows.map(({ setting, value, from }) => [setting, value, from])]),
      rows,
    )
  },
})
