import { KraftError } from '../engine/errors/failure.js'
import { size as inUnits } from '../engine/report/progress-text.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { keeperOf } from './snapshot-keeper.js'

/** Keeps a node as it is now, at its provider. */
export const snapshot = task({
  on: 'once',
  connection: 'new',
  needs: 'nodes',
  group: 'Nodes',
  help: 'keep a local node as it is now, to go back to it with restore',
  changes: 'nothing; its processes stand still while its disk is copied, and go on',
  examples: ['kraft snapshot:one', 'kraft snapshot:one before-upgrade'],
  options: {
    name: option({ type: 'string', positional: true, help: 'what to call it (default: the time, like 20261128-033000)' }),
  },
  async run({ target, session, options, line }) {
    const name = options.name ?? new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
    const kept = await Promise.all(target.nodes.map(({ record }) => keeperOf(session, record, line)))
    for (const { record, snapshots, work } of kept) {
      if (!(await snapshots.list(record, work.settings)).some((each) => each.name === name)) continue
      throw new KraftError({
        kind: 'usage',
        message: `There is a snapshot ${name} of ${record.name} already`,
        next: `Take another name, or delete that one: kraft snapshots:${record.name} delete ${name}`,
      })
    }
    if (session.flags.dryRun) {
      const rows = kept.map(({ record, snapshots }) => `Would keep ${record.name} as ${name}: ${snapshots.doc}`)
      return new Result(rows.join('\n'), null)
    }
    const taken = []
    for (const { record, snapshots, work } of kept) {
      taken.push({ node: record.name, ...(await snapshots.take(record, name, work)) })
    }
    const rows = taken.map(({ node, size }) => `${node} is kept as ${name}${size === undefined ? '' : ` (${inUnits(size)})`}`)
    return new Result(rows.join('\n'), taken, `kraft restore:${target.word} ${name}`)
  },
})
