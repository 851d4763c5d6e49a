import { KraftError } from '../engine/errors/failure.js'
import { size as inUnits } from '../engine/report/progress-text.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { columns } from './columns.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { chooseSnapshot, keeperOf, shownTime } from './snapshot-keeper.js'

/** Lists the snapshots of a node, or deletes one. */
export const snapshots = task({
  on: 'once',
  needs: 'nodes',
  group: 'Nodes',
  help: 'list the snapshots of a node, or delete one',
  destructive: true,
  changes: 'nothing; delete removes a snapshot of it',
  examples: ['kraft snapshots:one', 'kraft snapshots:one delete before-upgrade'],
  options: {
    verb: option({ type: 'string', positional: true, choices: ['list', 'delete'], default: 'list', help: 'what to do' }),
    name: option({ type: 'string', positional: true, help: 'the snapshot' }),
  },
  async run({ target, session, options, line }) {
    const { verb, name } = options
    if (verb === 'delete') requireAnswer(session, 'snapshots delete')
    const kept = await Promise.all(target.nodes.map(({ record }) => keeperOf(session, record, line)))
    if (verb === 'list') {
      const lists = kept.map(async ({ record, snapshots: keeper, work }) =>
        (await keeper.list(record, work.settings)).map((each) => ({ node: record.name, ...each })),
      )
      const all = (await Promise.all(lists)).flat()
      const next = `kraft snapshot:${target.word}`
      if (all.length === 0) return new Result(`There is no snapshot of ${target.word}. Take one: ${next}`, [])
      const rows = all.map((each) => [
        each.node,
        each.name,
        shownTime(each.time),
        each.size === undefined ? '' : inUnits(each.size),
      ])
      return new Result(columns([['NODE', 'NAME', 'TIME', 'SIZE'], ...rows]), all)
    }
    if (name === undefined) {
      const next = `kraft snapshots:${target.word} delete NAME`
      throw new KraftError({ kind: 'usage', message: 'snapshots delete needs the name of a snapshot', next })
    }
    const chosen = await Promise.all(kept.map(async (each) => ({ ...each, snapshot: await chooseSnapshot(each, name) })))
    const where = chosen.map(({ record }) => record.name).join(', ')
    await confirmLoss(session, `Delete the snapshot ${name} of ${where}?`)
    if (!session.flags.dryRun) {
      for (const { record, snapshots: keeper, work } of chosen) await keeper.forget(record, name, work)
    }
    return new Result(`${session.flags.dryRun ? 'Would delete' : 'Deleted'} the snapshot ${name} of ${where}`, { name })
  },
})
