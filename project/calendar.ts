import { type Times, timesOf } from './schedule.js'

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const day = 86_400_000

/**
 * A schedule of cron's as systemd's timers write it: each line is an `OnCalendar`.
 *
 * @example calendarOf('30 4 * * mon') // ['Mon *-*-* 04:30:00']
 */
export function calendarOf(schedule: string): readonly string[] {
  const times = timesOf(schedule)
  if (times === undefined) return []
  const { minutes, hours, days, months, weekdays, eitherDay } = times
  const date = (dates: readonly number[]) => `*-${list(months, 12)}-${list(dates, 31)}`
  const time = `${list(hours, 24)}:${list(minutes, 60)}:00`
  const week = weekdays.length === 7 ? '' : `${weekdays.map((each) => weekdayNames[each]).join(',')} `
  return eitherDay ? [`${week}${date([])} ${time}`, `${date(days)} ${time}`] : [`${week}${date(days)} ${time}`]
}

function list(numbers: readonly number[], all: number): string {
  return numbers.length === 0 || numbers.length === all ? '*' : numbers.map((number) => String(number).padStart(2, '0')).join(',')
}

/** The most seconds that pass between two times of a schedule. */
export function longestGap(schedule: string): number {
  const times = timesOf(schedule)
  if (times === undefined) return Number.POSITIVE_INFINITY
  const clock = times.hours.flatMap((hour) => times.minutes.map((minute) => (hour * 60 + minute) * 60))
  const [first = 0, last = first] = [clock[0], clock.at(-1)]
  const within = clock.slice(1).map((second, index) => second - (clock[index] ?? second))
  const dates = datesOf(times)
  const between = dates.slice(1).map((date, index) => (date - (dates[index] ?? date)) * 86_400 - last + first)
  return Math.max(...within, ...between)
}

// Eight years around one without a leap day: what comes on the 29th of February comes twice in them.
function datesOf({ days, months, weekdays, eitherDay }: Times): readonly number[] {
  const begin = Date.UTC(2095, 0, 1)
  return Array.from({ length: 12 * 366 }, (_, index) => index).filter((index) => {
    const date = new Date(begin + index * day)
    const [byDate, byWeek] = [days.includes(date.getUTCDate()), weekdays.includes(date.getUTCDay())]
    return months.includes(date.getUTCMonth() + 1) && (eitherDay ? byDate || byWeek : byDate && byWeek)
  })
}
