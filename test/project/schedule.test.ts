import { expect, it } from 'vitest'
import { scheduleProblem } from '../../project/schedule.js'

it.each([
  '* * * * *',
  '30 4 * * *',
  '*/5 0-6,22 1,15 jan-mar Mon',
  '0 0 29 2 *',
  '0 0 31 */2 *',
  '0 0 31 2 fri',
  '5 4 * * 7',
  '10-50/10 * * * *',
  '@daily',
  '@Reboot',
])('%s is a schedule', (schedule) => expect(scheduleProblem(schedule)).toBeUndefined())

it.each([
  ['', 'five fields'],
  ['* * * *', 'five fields'],
  ['* * * * * root', 'five fields'],
  ['@dayly', 'one of @hourly, @daily'],
  ['60 * * * *', 'a minute from 0 to 59, *, or a range as in 0-3 or */2: "60" is none'],
  ['* 24 * * *', 'an hour from 0 to 23'],
  ['* * 0 * *', 'a day of the month from 1 to 31'],
  ['* * * 13 *', 'a month from 1 to 12 or jan, feb'],
  ['* * * * monday', 'a day of the week from 0 to 7 or sun, mon'],
  ['50-10 * * * *', '"50-10" is none'],
  ['5/10 * * * *', '"5/10" is none'],
  ['*/0 * * * *', '"*/0" is none'],
  ['1,,2 * * * *', '"" is none'],
  ['0 0 30 2 *', 'a day that comes'],
  ['0 0 31 4,6,9-9 *', 'a day that comes'],
])('%j is none: %s', (schedule, message) => expect(scheduleProblem(schedule)).toContain(message))
