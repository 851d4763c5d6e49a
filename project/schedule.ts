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

function problemOf(part: string, { name, least, most, words }: Field): string {
  const named = words === undefined ? '' : ` or ${words[0]}, ${words[1]}…`
  return `a ${name} from ${least} to ${most}${named}, *, or a range as in ${least}-${least + 3} or */${least + 2}: ${JSON.stringify(part)} is none`
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

function meets(list: string, value: number): boolean {
  return list.split(',').some((part) => {
    const [range = '', step = '1'] = part.split('/')
    const [from = 1, to = from] = range === '*' ? [1, 12] : range.split('-').map((word) => numberOf(word, fields[3]) ?? 0)
    return value >= from && value <= to && (value - from) % Number(step) === 0
  })
}
