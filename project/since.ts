import { KraftError } from '../engine/errors/failure.js'

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

/**
 * The time that `--since` means: how long ago (`90s`, `15m`, `1h30m`, `2d`), or a date with or without a time, which is one of
 * this machine unless it says `Z` or an offset.
 *
 * @throws KraftError `usage`
 */
export function parseSince(text: string, now = new Date()): Date {
  if (/^(\d+[smhdw])+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+)([smhdw])/g)]
    const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units], 0)
    return new Date(now.getTime() - seconds * 1000)
  }
  const date = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  const at = date === null ? Number.NaN : Date.parse(`${date[1]}T${date[2] ?? '00:00'}${date[3] ?? ''}`)
  if (!Number.isNaN(at)) return new Date(at)
  throw new KraftError({
    kind: 'usage',
    message: `--since does not know the time "${text}"`,
    next: 'How long ago: 90s, 15m, 1h30m, 2d; or a time: 2026-11-28, "2026-11-28 17:30"',
  })
}
