import { expect, it } from 'vitest'
import { parseSince } from '../../project/since.js'

const now = new Date('2026-11-28T12:00:00Z')

it('is how long ago', () => {
  const ago = (text: string) => parseSince(text, now).toISOString()
  expect(ago('90s')).toBe('2026-11-28T11:58:30.000Z')
  expect(ago('1h30m')).toBe('2026-11-28T10:30:00.000Z')
  expect(ago('2d')).toBe('2026-11-26T12:00:00.000Z')
  expect(ago('1w')).toBe('2026-11-21T12:00:00.000Z')
})

it('is a time of this machine, or of where it says', () => {
  expect(parseSince('2026-11-28 10:30', now)).toEqual(new Date(2026, 10, 28, 10, 30))
  expect(parseSince('2026-11-28', now)).toEqual(new Date(2026, 10, 28))
  expect(parseSince('2026-11-28T10:30:15Z', now).toISOString()).toBe('2026-11-28T10:30:15.000Z')
  expect(parseSince('2026-11-28T10:30+02:00', now).toISOString()).toBe('2026-11-28T08:30:00.000Z')
})

it('is nothing else', () => {
  for (const text of ['', '1', '1x', 'h', '-1h', 'yesterday', '2026-13-01', '1h 30m']) {
    expect(() => parseSince(text, now), text).toThrow('--since does not know the time')
  }
})
