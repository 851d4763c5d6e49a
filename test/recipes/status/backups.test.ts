import { expect, it } from 'vitest'
import type { BackupState } from '../../../recipes/backups.js'
import { backups } from '../../../recipes/status/backups.js'
import type { Looked } from '../../../recipes/status/part.js'

const well: BackupState = { running: false, overdue: false, success: null, failure: null, drill: null }
const read = (state: Partial<BackupState>) =>
  backups.read(`backups ${JSON.stringify({ ...well, ...state })}\n`, { word: 'live' } as Looked)

it('says how it stands, and asks for a hand where one failed, is overdue or does not load', () => {
  expect(read({})).toMatchObject({ rows: [['backups', 'no backup yet']], attention: [] })
  const time = '2026-11-28T03:30:00Z'
  const drill = { id: '20261128-033000', time, ok: false, reason: 'too few rows' }
  expect(read({ overdue: true, failure: { time, reason: 'no room' }, drill }).attention).toEqual([
    { what: 'The last backup failed: no room', next: 'Try: kraft backups:live run' },
    { what: 'A backup is overdue', next: 'Try: kraft backups:live run' },
    { what: 'The drill of backup 20261128-033000 failed: too few rows', next: 'Try: kraft backups:live drill' },
  ])
})

it('says nothing where none are made', () => {
  expect(backups.read('', { word: 'live' } as Looked)).toEqual({ rows: [], data: null, attention: [] })
})
