import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../engine/cli/exit.js'
import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import { plainReport } from '../../../engine/report/plain.js'
import { type Spread, spreadOut } from '../../../engine/task/spread.js'

interface Went {
  readonly began: readonly string[]
  readonly most: number
  readonly notRun: readonly string[]
  readonly said: string
  readonly error: unknown
}

/** Goes over items named by letters; those of `fail` fail. */
async function go(names: string, spread: Spread, fail = '', width: boolean | number = true): Promise<Went> {
  const began: string[] = []
  const notRun: string[] = []
  let now = 0
  let most = 0
  const items = [...names].map((title) => ({
    title,
    async run() {
      began.push(title)
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 5))
      now--
      if (fail.includes(title)) throw new KraftError({ kind: 'unreachable', node: title, message: 'no answer' })
    },
    notRun: () => void notRun.push(title),
  }))
  const report = plainReport(() => undefined)
  const error: unknown = await spreadOut((each, options) => report.list(each, options), items, spread, width).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { began, most, notRun, said: String(error), error }
}

describe('nodes', () => {
  it('run all at once, or as many as the task or the command line says, which wins', async () => {
    expect((await go('abcdef', {})).most).toBe(6)
    expect((await go('abcdef', {}, '', 2)).most).toBe(2)
    expect((await go('abcdef', { parallel: 3 }, '', 2)).most).toBe(3)
  })

  it('run in batches of a number or of a percentage, never of none', async () => {
    expect((await go('abcdef', { batch: { size: 2, percent: false } })).most).toBe(2)
    expect((await go('abcdefgh', { batch: { size: 25, percent: true } })).most).toBe(2)
    expect((await go('abc', { batch: { size: 10, percent: true } })).most).toBe(1)
    expect((await go('abcdef', { batch: { size: 3, percent: false }, parallel: 2 })).most).toBe(2)
  })

  it('go on where one fails', async () => {
    const { began, notRun, said } = await go('abcd', {}, 'b', 1)
    expect([began, notRun]).toEqual([['a', 'b', 'c', 'd'], []])
    expect(said).toBe('KraftError: 1 of 4 failed: b; done: a, c, d')
  })

  it('do not begin any more where one fails and that was asked for', async () => {
    const { began, notRun, said } = await go('abcd', { onFailure: 'stop', parallel: 1 }, 'b')
    expect([began, notRun]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    expect(said).toBe('KraftError: 1 of 4 failed: b; done: a; not run: c, d')
  })
})

describe('a batch that fails', () => {
  it('ends itself, and the next one does not begin', async () => {
    const { began, notRun, said } = await go('abcdef', { batch: { size: 2, percent: false } }, 'c')
    expect([began, notRun]).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f'],
    ])
    expect(said).toContain('1 of 6 failed: c; done: a, b, d; not run: e, f')
  })

  it('does not stop the next where that was asked for', async () => {
    const { began, said } = await go('abcd', { batch: { size: 1, percent: false }, onFailure: 'continue' }, 'ac')
    expect(began).toEqual(['a', 'b', 'c', 'd'])
    expect(said).toContain('2 of 4 failed: a, c; done: b, d')
  })
})

it('the failure of the only one is its own', async () => {
  const { error } = await go('a', { batch: { size: 1, percent: false } }, 'a')
  expect(isKraftError(error) && error.failure.kind).toBe('unreachable')
})

it('the exit code of several is the one that they agree on, else 1', async () => {
  expect(exitCode((await go('abc', {}, 'ab')).error)).toBe(3)
  const mixed = new KraftError({
    kind: 'several',
    failed: [
      { title: 'a', error: new KraftError({ kind: 'unreachable', node: 'a', message: 'no answer' }) },
      { title: 'b', error: new TypeError('bug') },
    ],
    done: [],
  })
  expect(exitCode(mixed)).toBe(1)
})
