import { expect, it } from 'vitest'
import { calendarOf, longestGap } from '../../project/calendar.js'

const hour = 3600
const day = 24 * hour

it.each([
  ['30 4 * * *', ['*-*-* 04:30:00']],
  ['@daily', ['*-*-* 00:00:00']],
  ['@weekly', ['Sun *-*-* 00:00:00']],
  ['@monthly', ['*-*-01 00:00:00']],
  ['*/20 1-3 * * *', ['*-*-* 01,02,03:00,20,40:00']],
  ['0 5 * * mon-fri', ['Mon,Tue,Wed,Thu,Fri *-*-* 05:00:00']],
  ['0 5 * * 5-7', ['Sun,Fri,Sat *-*-* 05:00:00']],
  ['0 5 29 feb *', ['*-02-29 05:00:00']],
  ['* * * * *', ['*-*-* *:*:00']],
  // As cron: where both are said, one of them is enough.
  ['0 5 1,15 * sun', ['Sun *-*-* 05:00:00', '*-*-01,15 05:00:00']],
  [
    '0 5 */2 * sun',
    [
      `Sun *-*-${[1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31].map((each) => String(each).padStart(2, '0')).join(',')} 05:00:00`,
    ],
  ],
])('%s is %j for systemd', (schedule, calendar) => expect(calendarOf(schedule)).toEqual(calendar))

it.each([
  ['30 4 * * *', day],
  ['@hourly', hour],
  ['*/20 1-3 * * *', day - 2 * hour - 40 * 60],
  ['0 5 * * mon-fri', 3 * day],
  ['0 5 * * 1', 7 * day],
  ['0 0 1 * *', 31 * day],
  ['0 5 1 * sun', 7 * day],
  ['0 0 29 2 *', (8 * 365 + 1) * day],
])('between two times of %s pass %d seconds at the most', (schedule, seconds) => expect(longestGap(schedule)).toBe(seconds))
