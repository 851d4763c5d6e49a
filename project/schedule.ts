interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  readonly words?: readonly string[]
}

const fields: readonly [Field, Field, Field, Field, Field] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'day of the week', least: 0, most: 7, words: 'sun mon tue wed thu fri sat'.split(' ') },
]
const nicknames = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually', '@reboot']
// Of a leap year: what comes every four years comes.
const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Why cron would not take a schedule, or would never run it; undefined where it is a good one.
 *
 * @example scheduleProblem('61 3 * * *') // 'a minute from 0 to 59: "61" is none'
 */
export function scheduleProblem(schedule: string): string | undefined {
  const text = schedule.trim()
  if (text.startsWith('@')) return nicknames.includes(text.toLowerCase()) ? undefined : `one of ${nicknames.join(', ')}`
  const parts = text.split(/[ \t]+/)
  if (parts.length !== fields.length) {
    return 'five fields (minute, hour, day of the month, month, day of the week), as in "30 4 * * mon", or @daily'
  }
  for (const [index, field] of fields.entries()) {
    const wrong = (parts[index] ?? '').split(',').find((part) => !valid(part, field))
    if (wrong !== undefined) return problemOf(wrong, field)
  }
  const [, , day = '*', month = '*', weekday] = parts
  return weekday === '*' && !comes(day, month) ? 'a day that comes: the month has no such day' : undefined
}

/** When a schedule comes, number by number. */
export interface Times {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: readonly number[]
  readonly months: readonly number[]
  /** Sunday is 0. */
  readonly weekdays: readonly number[]
  /** One of day and day of the week is enough, as cron has it where both are said. */
  readonly eitherDay: boolean
}

const named: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

/** When a good schedule comes; undefined for one that no clock decides. */
export function timesOf(schedule: string): Times | undefined {
  const text = schedule.trim().toLowerCase()
  const parts = (named[text] ?? text).split(/[ \t]+/)
  if (parts.length !== fields.length) return undefined
  const [minutes = [], hours = [], days = [], months = [], week = []] = fields.map((field, index) => {
    const all = new Set((parts[index] ?? '').split(',').flatMap((part) => numbersOf(part, field)))
    return [...all].sort((one, other) => one - other)
  })
  const weekdays = [...new Set(week.map((day) => day % 7))].sort()
  const eitherDay = [parts[2], parts[4]].every((part) => part?.startsWith('*') === false)
  return { minutes, hours, days, months, weekdays, eitherDay }
}

function numbersOf(part: string, field: Field): readonly number[] {
  const [range = '', step = '1'] = part.split('/')
  const [from = field.least, to = from] =
    range === '*' ? [field.least, field.most] : range.split('-').map((word) => numberOf(word, field) ?? field.least)
  return Array.from({ length: Math.floor((to - from) / Number(step)) + 1 }, (_, index) => from + index * Number(step))
}

function problemOf(part: string, { name, least, most, words }: Field): string {
  const named = words === undefined ? '' : ` or ${words[0]}, ${words[1]}…`
  return `${name === 'hour' ? 'an' : 'a'} ${name} from ${least} to ${most}${named}, *, or a range as in ${least}-${least + 3} or */${least + 2}: ${JSON.stringify(part)} is none`
}

// cron takes a step behind a star or a range only.
function valid(part: string, field: Field): boolean {
  const [, range = '', step] = part.match(/^([^/]*)(?:\/(\d{1,3}))?$/) ?? []
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.most)) return false
  if (range === '*') return true
  const ends = range.split('-').map((word) => numberOf(word, field))
  const [from, to] = ends
  if (from === undefined || ends.includes(undefined) || ends.length > 2) return false
  return to === undefined ? step === undefined : from <= to
}

function numberOf(word: string, { least, most, words = [] }: Field): number | undefined {
  const at = words.indexOf(word.toLowerCase())
  if (at >= 0) return at + least
  const number = /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN
  return number >= least && number <= most ? number : undefined
}

function comes(day: string, month: string): boolean {
  if (day.startsWith('*')) return true
  const first = Math.min(...day.split(',').map((part) => Number(part.split(/[-/]/)[0])))
  return days.some((length, index) => first <= length && meets(month, index + 1))
}

function meets(list: string, month: number): boolean {
  return list.split(',').some((part) => numbersOf(part, fields[3]).includes(month))
}
