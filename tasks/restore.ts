import { remember } from '../engine/node/inventory.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { chooseSnapshot, keeperOf, shownTime } from './snapshot-keeper.js'

/** Puts a node back to what a snapshot kept. */
export const restore = task({
  on: 'once',
  connection: 'new',
  needs: 'nodes',
  group: 'Nodes',
  help: 'put a node back as a snapshot kept it; what came since is lost (backups restore is for data in S3)',
  destructive: true,
  examples: ['kraft restore:one', 'kraft restore:one before-upgrade --yes'],
  options: {
    name: option({ type: 'string', positional: true, help: 'the snapshot (default: the newest)' }),
  },
  async run({ target, session, options, line }) {
    requireAnswer(session, 'restore')
    const chosen = await Promise.all(
      target.nodes.map(async ({ record }) => {
        const kept = await keeperOf(session, record, line)
        return { ...kept, snapshot: await chooseSnapshot(kept, options.name) }
      }),
    )
    for (const { record, snapshot } of chosen) {
      const when = `${snapshot.name} (${shownTime(snapshot.time)})`
      await confirmLoss(session, `Put the node ${record.name} back as ${when} and lose what came since?`)
    }
    const rows = []
    for (const { record, provider, snapshot, snapshots, work } of chosen) {
      if (session.flags.dryRun) {
        rows.push(`Would put ${record.name} back as ${snapshot.name} kept it, and lose what came since`)
        continue
      }
      await session.disconnect(record.name)
      await remember(await snapshots.restore(record, snapshot.name, work), session.project?.folder, provider)
      rows.push(`${record.name} is as ${snapshot.name} kept it (${shownTime(snapshot.time)})`)
    }
    return new Result(
      rows.join('\n'),
      chosen.map(({ record, snapshot }) => ({ node: record.name, ...snapshot })),
    )
  },
})
