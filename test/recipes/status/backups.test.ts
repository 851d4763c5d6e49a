import { expect, it } from 'vitest'
import type { BackupState } from '../../../recipes/backups.js'
import { backups } from '../../../recipes/status/backups.js'
import type { Looked } from '../../../recipes/status/part.js'

const success = {
  id: '20261128-031500',
  time: new Date(Date.now() - 3 * 3_600_000).toISOString(),
  size: 2000,
  release: '20261127-120000',
  services: ['postgres'],
  encrypted: false,
  seconds: 3,
}
const read = (state: Partial<BackupState>) =>
  backups.read(`backups ${JSON.stringify({ running: false, overdue: false, success, failure: null, drill: null, ...state })}\n`, {
    word: 'live',
  } as unknown as Looked)

it('a good backup is told with its age, and needs no hand', () => {
  expect(read({})).toMatchObject({ rows: [['backups', 'last backup 3 h ago']], attention: [], data: { success } })
})

it('one that failed or is overdue, and a drill that failed, need a hand and say what to do', () => {
  const failure = { time: success.time, reason: 'AccessDenied' }
  const drill = { id: 'x', time: success.time, ok: false, reason: 'fewer rows' }
  expect(read({ failure, overdue: true, drill }).attention).toEqual([
    { what: 'The last backup failed: AccessDenied', next: 'Try it now: kraft backups:live run' },
    { what: 'A backup is overdue', next: 'Try it now: kraft backups:live run' },
    { what: 'The last drill failed: fewer rows', next: 'Try it now: kraft backups:live drill' },
  ])
})

it('where none are made nothing is shown', () => {
  expect(backups.read('', { word: 'live' } as unknown as Looked)).toEqual({ rows: [], data: null, attention: [] })
})
