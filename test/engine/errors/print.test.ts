import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../engine/cli/exit.js'
import { type Failure, formatPlace, isKraftError, KraftError, summary } from '../../../engine/errors/failure.js'
import { didYouMean, nearest } from '../../../engine/errors/nearest.js'
import { printError } from '../../../engine/errors/print.js'

const plain = { debug: false, color: false }
const step: Failure = { kind: 'step', node: 'one', step: 'Install nginx', code: 100, output: 'E: no space\nE: left' }

describe.each<[Failure, number, string]>([
  [{ kind: 'usage', message: 'Say where', next: 'kraft deploy:stage' }, 2, 'error: Say where\nnext:  kraft deploy:stage\n'],
  [
    { kind: 'setting', message: 'Unknown key', place: { file: 'a.yaml', line: 3, column: 7 } },
    2,
    'error: a.yaml:3:7: Unknown key\n',
  ],
  [{ kind: 'unreachable', node: 'one', message: 'refused' }, 3, 'error: one: refused\n'],
  [{ kind: 'host-key', node: 'one', message: 'another key' }, 3, 'error: one: another key\n'],
  [step, 1, 'error: one: Install nginx: failed with code 100\n  | E: no space\n  | E: left\n'],
  [
    { ...step, output: '', at: { line: 3, text: 'apt-get install' }, left: 1 },
    1,
    'error: one: Install nginx: failed with code 100\n  at line 3 of its script: apt-get install\nnext:  The step after it did not run. Correct the cause and run the same command again: what is done stays done\n',
  ],
  [{ kind: 'command', node: 'one', command: 'ls', code: null, output: '' }, 1, 'error: one: ls: ended with a signal\n'],
  [{ kind: 'task', message: 'no', node: 'one', output: 'a\n\n' }, 1, 'error: one: no\n  | a\n'],
  [{ kind: 'interrupted', message: 'Stopped' }, 130, 'error: Stopped\n'],
])('%j', (failure, code, text) => {
  it(`ends with ${code}`, () => expect(exitCode(new KraftError(failure))).toBe(code))
  it('is printed', () => expect(printError(new KraftError(failure), plain)).toBe(text))
})

describe('several failures', () => {
  const error = new KraftError({
    kind: 'several',
    failed: [
      { title: 'deploy:a', error: new KraftError(step) },
      { title: 'deploy:c', error: new KraftError({ kind: 'unreachable', node: 'c', message: 'refused', next: 'Start it' }) },
    ],
    done: ['deploy:b'],
  })

  it('are printed one by one, and at the end which failed and which did not', () => {
    expect(printError(error, plain)).toBe(
      [
        'error: one: Install nginx: failed with code 100',
        '  | E: no space',
        '  | E: left',
        'error: c: refused',
        'next:  Start it',
        'error: 2 of 3 failed: deploy:a, deploy:c; done: deploy:b',
        '',
      ].join('\n'),
    )
  })

  it('end with 1', () => expect(exitCode(error)).toBe(1))
})

describe('an error', () => {
  it('shows the last 20 lines of long output', () => {
    const output = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`).join('\n')
    const text = printError(new KraftError({ ...step, output }), plain)
    expect(text.split('\n')).toHaveLength(22)
    expect(text).toContain('| line 31\n')
    expect(text).not.toContain('| line 30\n')
  })

  it('shows stacks with --debug alone, its causes too', () => {
    const error = new KraftError(step, new Error('deeper', { cause: new Error('deepest') }))
    expect(printError(error, plain)).not.toMatch(/^ +at /m)
    const text = printError(error, { debug: true, color: false })
    for (const word of ['print.test.ts', 'deeper', 'deepest']) expect(text).toContain(word)
  })

  it('of those that cause each other has an end', () => {
    const [one, other] = [new Error('one'), new Error('other')]
    one.cause = other
    other.cause = one
    expect(printError(one, { debug: true, color: false }).match(/^Error: /gm)).toHaveLength(2)
  })

  it('may be an object of no kind', () => {
    expect(printError(Object.create(null), plain)).toMatch(/^error: Something was thrown that is not an Error/)
  })

  it('of several promises says why each failed', () => {
    const error = new AggregateError([new Error('one is down'), 'two as well'], 'All promises were rejected')
    delete error.stack
    expect(printError(error, plain)).toContain('error: All promises were rejected; one is down; ')
  })

  it('cuts a line of output that is a program', () => {
    expect(printError(new KraftError({ ...step, output: 'x'.repeat(1e6) }), plain).length).toBeLessThan(2000)
  })

  it('has colours only on request', () => {
    expect(printError(new KraftError(step), { debug: false, color: true })).toContain('\x1b[31merror:\x1b[0m')
  })

  it('of another copy of kraftwerk is known', () => {
    const other = Object.assign(new Error('x'), {
      [Symbol.for('kraftwerk.error')]: true,
      failure: { kind: 'usage', message: 'x' },
    })
    expect(isKraftError(other)).toBe(true)
    expect(exitCode(other)).toBe(2)
  })

  it.each([[new TypeError('x is not a function')], ['thrown'], [undefined], [null], [Symbol('x')]])(
    'that is no KraftError (%o) is printed as well',
    (error) => {
      expect(exitCode(error)).toBe(1)
      expect(printError(error, plain)).toMatch(/^error: /)
    },
  )
})

it('places are written as editors know them', () => {
  expect(formatPlace({ file: 'a', line: 1, column: 2 })).toBe('a:1:2')
  expect(formatPlace({ file: 'a', line: 1 })).toBe('a:1')
  expect(formatPlace({ file: 'a' })).toBe('a')
  expect(summary({ kind: 'setting', message: 'm', place: { file: 'a' } })).toBe('a: m')
})

describe('the nearest word', () => {
  const words = ['domain', 'workers', 'aliases', 'apt']
  it.each([
    ['doman', 'domain'],
    ['DOMAIN', 'domain'],
    ['wrokers', 'workers'],
    ['ap', 'apt'],
    ['nothing', undefined],
    ['', undefined],
  ])('for %j is %s', (word, found) => expect(nearest(word, words)).toBe(found))

  it('is asked for only where there is one', () => {
    expect(didYouMean('doman', words)).toBe(' Did you mean "domain"?')
    expect(didYouMean('xyz', words)).toBe('')
    expect(didYouMean('a', [])).toBe('')
  })
})

it('of many that are done tells how many, and of those that failed which', () => {
  const done = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`)
  const error = new KraftError({ kind: 'task', message: 'no' })
  const said = (count: number) =>
    new KraftError({ kind: 'several', failed: [{ title: 'bad', error }], done: done(count) }).message
  expect(said(2)).toBe('1 of 3 failed: bad; done: n0, n1')
  expect(said(59)).toBe('1 of 60 failed: bad; done: 59')
})
