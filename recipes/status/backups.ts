import { type BackupState, describeBackups, parseBackups, readBackups } from '../backups.js'
import type { Attention, StatusPart } from './part.js'

/** The backups that a node makes by itself. */
export const backups: StatusPart = {
  name: 'backups',
  look: ({ instance }) => (instance.settings.backup === undefined ? undefined : readBackups(instance)),
  read(printed, { word }) {
    const state = parseBackups(printed)
    if (state === undefined) return { rows: [], data: null, attention: [] }
    return { rows: [['backups', describeBackups(state, word)]], data: state, attention: needs(state, word) }
  },
}

function needs({ overdue, failure, drill }: BackupState, word: string): readonly Attention[] {
  const again = `Try: kraft backups:${word} run`
  return [
    ...(failure === null ? [] : [{ what: `The last backup failed: ${failure.reason}`, next: again }]),
    ...(overdue ? [{ what: 'A backup is overdue', next: again }] : []),
    ...(drill === null || drill.ok
      ? []
      : [{ what: `The drill of backup ${drill.id} failed: ${drill.reason ?? ''}`, next: `Try: kraft backups:${word} drill` }]),
  ]
}
