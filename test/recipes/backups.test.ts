import { expect, it } from 'vitest'
import { type BackupState, describeBackups, parseBackups, parseList, readBackups } from '../../recipes/backups.js'

const success = {
  id: '20261128-033000',
  time: '2026-11-28T03:30:00.000Z',
  size: 5000,
  release: '20261127-101010',
  services: ['postgres'],
  encrypted: false,
  seconds: 3,
}
const well: BackupState = { running: false, overdue: false, success, failure: null, drill: null }
const now = new Date('2026-11-28T13:00:00Z')
const said = (state: Partial<BackupState>) => describeBackups({ ...well, ...state }, 'live', now)

it('is read among other lines, and is nothing where none are made', () => {
  const more = { sha256: 'abc', key: 'x.bundle' }
  const text = `current 20261127-101010 x\nbackups ${JSON.stringify({ ...well, success: { ...success, ...more } })}\ncertificate acme `
  expect(parseBackups(text)).toEqual(well)
  expect(parseBackups('current 20261127-101010 x\n')).toBeUndefined()
})

it('a script that says nothing is told as that, and breaks nothing', () => {
  for (const text of ['backups ', 'backups Traceback', 'backups {}']) {
    expect(parseBackups(text)).toMatchObject({ success: null, failure: { reason: expect.stringContaining('does not say') } })
  }
})

it('asks nothing of a node that makes none', () => {
  expect(readBackups({ name: 'shop', home: '/web/shop' }).text).toMatch(
    /^if \[ -e \/etc\/kraftwerk\/shop\/backup\/settings.json \]/,
  )
})

it('says in words how it stands', () => {
  expect(said({})).toBe('last backup 9 h ago')
  expect(said({ running: true, success: null })).toBe('no backup yet, one runs')
  expect(said({ success: { ...success, time: '2026-11-20T03:30:00Z' }, overdue: true })).toBe(
    'last backup 8 days ago, OVERDUE: kraft backups:live run',
  )
  expect(said({ failure: { time: '2026-11-28T04:00:00Z', reason: 'no room' } })).toBe(
    'last backup 9 h ago, the last one FAILED (no room)',
  )
  expect(said({ drill: { id: success.id, time: success.time, ok: false, reason: 'too few rows' } })).toContain(
    'the last drill FAILED (too few rows)',
  )
  expect(said({ drill: { id: success.id, time: success.time, ok: true } })).toBe('last backup 9 h ago')
})

it('reads the list of the script', () => {
  const { seconds: _, ...made } = success
  expect(parseList(JSON.stringify([{ ...made, whole: true, key: 'x', sha256: 'y' }]))).toEqual([{ ...made, whole: true }])
})
