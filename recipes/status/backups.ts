import { describeBackups, parseBackups, readBackups } from '../backups.js'
import type { StatusPart } from './part.js'

/** The backups that the node makes by itself: the last good one, and whether one failed or is overdue. */
export const backups: StatusPart = {
  name: 'backups',
  look: ({ instance }) => readBackups(instance),
  read(printed, { word }) {
    const state = parseBackups(printed)
    if (state === undefined) return { rows: [], data: null, attention: [] }
    const { failure, overdue, drill } = state
    const said = describeBackups(state, word)
    const needed = [
      ...(failure === null ? [] : [`The last backup failed: ${failure.reason}`]),
      ...(overdue ? ['A backup is overdue'] : []),
      ...(drill === null || drill.ok ? [] : [`The last drill failed: ${drill.reason ?? drill.id}`]),
    ]
    return {
      rows: [['backups', said]],
      data: state,
      attention: needed.map((what) => ({
        what,
        next: `Try it now: kraft backups:${word} ${what.includes('drill') ? 'drill' : 'run'}`,
      })),
    }
  },
}
