import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { parseArguments } from '../../../engine/cli/parse.js'
import { showNext } from '../../../engine/cli/show-next.js'
import { Result } from '../../../engine/task/result.js'

let said = ''
beforeEach(() => {
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

function show(hints: readonly (string | undefined)[], args: readonly string[] = [], isTerminal = true): string {
  const finished = hints.map((next, at) => ({ target: `t${at}`, result: new Result('done', {}, next) }))
  showNext(finished, parseArguments('deploy', {}, false, args).globals, isTerminal)
  return said
}

it('the next command is one line', () => {
  expect(show(['kraft deploy:one'])).toBe('Next: kraft deploy:one\n')
})

it('several targets that lead to the same command share the line', () => {
  expect(show(['kraft up', 'kraft up'])).toBe('Next: kraft up\n')
})

it('targets that lead to different commands, or some to none, get none', () => {
  expect(show(['kraft deploy:one', 'kraft deploy:two'])).toBe('')
  expect(show(['kraft deploy:one', undefined])).toBe('')
})

it.each(['--quiet', '-q', '--json', '--events', '--dry-run'])('%s shows none', (flag) => {
  expect(show(['kraft up'], [flag])).toBe('')
})

it('without a terminal there is none', () => {
  expect(show(['kraft up'], [], false)).toBe('')
})
