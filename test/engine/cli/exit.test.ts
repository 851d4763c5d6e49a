import { describe, expect, it } from 'vitest'
import { exitCode, kindsOf } from '../../../engine/cli/exit.js'
import { passesCode } from '../../../engine/cli/passing.js'
import { KraftError } from '../../../engine/errors/failure.js'

const usage = new KraftError({ kind: 'usage', message: 'wrong' })
const task = new KraftError({ kind: 'task', message: 'failed' })
const several = (...errors: readonly unknown[]) =>
  new KraftError({ kind: 'several', failed: errors.map((error, index) => ({ title: `node ${index}`, error })), done: [] })

describe('exit codes', () => {
  it('of several failures is the one that they agree on, else 1', () => {
    expect([usage, task, several(usage, usage), several(usage, task)].map(exitCode)).toEqual([2, 1, 2, 1])
    expect(exitCode(new Error('a bug'))).toBe(1)
  })

  it('names the kinds of failure that have a code', () => {
    expect(kindsOf(3)).toEqual(['unreachable', 'host-key'])
    expect(kindsOf(0)).toEqual([])
  })

  it.each([
    [['run:stage', '--', 'false'], true],
    [['psql'], true],
    [['dev', '--', 'pytest'], true],
    [['dev'], false],
    [['runner'], false],
    [[], false],
  ])('kraft %j ends with the code of a command: %s', (args, expected) => {
    expect(passesCode(args)).toBe(expected)
  })
})
