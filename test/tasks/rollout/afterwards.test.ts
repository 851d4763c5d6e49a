import { describe, expect, it } from 'vitest'
import { KraftError } from '../../../engine/errors/failure.js'
import { printError } from '../../../engine/errors/print.js'
import { plainReport } from '../../../engine/report/plain.js'
import type { Item, Line } from '../../../engine/report/report.js'
import { afterwards, inParts, onceServed } from '../../../tasks/rollout/afterwards.js'
import { type Rollout, rollout } from '../../../tasks/rollout/rollout.js'

interface Given {
  readonly names?: readonly string[]
  readonly fresh?: readonly string[]
  readonly batch?: number
  readonly dryRun?: boolean
}

function shop({ names = ['one', 'two', 'three'], fresh = [], batch, dryRun = false }: Given = {}): Rollout {
  const spread = batch === undefined ? {} : { batch: { size: batch, percent: false } }
  const whole = rollout({
    application: { instance: { name: 'shop' }, release: 'manage.py migrate' },
    nodes: names.map((name) => ({ name })),
    session: { spread, flags: { dryRun } },
    task: 'deploy',
    made: 'release',
    switched: () => 'current',
    releaseOn: () => ({ id: '20261128-101500' }),
  } as never)
  for (const name of names) whole.locks.set(name, {} as never)
  for (const name of fresh) whole.fresh.add(name)
  return whole
}

const step = (node: string) => new KraftError({ kind: 'step', node, step: 'Health', code: 1, output: '', left: 7 })
const several = (...nodes: readonly string[]) =>
  new KraftError({ kind: 'several', failed: nodes.map((node) => ({ title: node, error: step(node) })), done: [] })
const said = (error: unknown) => printError(error, { debug: false, color: false }).trimEnd().split('\n')
const ended = (given: Given, error: unknown, ...begun: string[]) =>
  said(
    afterwards(shop(given), error, {
      begun: new Set(begun),
      released: begun.includes('Release command'),
      migrations: undefined,
      takenBack: true,
    }),
  )
const before = 'next:  Nothing was switched: shop serves what it served before'

describe('the end of a deploy that failed', () => {
  it('says once what serves now where several nodes failed, and not of each what it does not know', () => {
    expect(ended({}, several('one', 'two'))).toEqual([
      'error: one: Health: failed with code 1',
      'error: two: Health: failed with code 1',
      'error: 2 of 2 failed: one, two',
      `${before}. Correct it and run the same command again`,
    ])
  })

  it('says it of every kind of failure, before what was to be done next anyway', () => {
    const gone = new KraftError({ kind: 'unreachable', node: 'two', message: 'no answer', next: 'Is it up?' })
    expect(ended({}, gone)).toEqual(['error: two: no answer', `${before}. Is it up?`])
    expect(ended({}, new KraftError({ kind: 'task', message: 'no' })).at(-1)).toContain(before)
    expect(ended({}, new KraftError({ kind: 'interrupted', message: 'Stopped' }))).toEqual(['error: Stopped'])
  })

  it('knows what was switched back, what has run, and what has switched for good', () => {
    const begun = ['Release command', 'Start beside the old', 'Switch']
    expect(ended({}, step('two'), ...begun).at(-1)).toContain(
      'It was switched back: shop serves what it served before, but the release command (manage.py migrate) has run.',
    )
    expect(ended({}, step('two'), ...begun, 'Drain the old').at(-1)).toContain(
      'shop serves release 20261128-101500 all the same: only what comes after the switch is left to do',
    )
    expect(ended({}, step('two'), 'Start beside the old').at(-1)).not.toContain('has run')
  })

  it('tells nodes on which nothing is left from those that served before', () => {
    expect(ended({ names: ['one'], fresh: ['one'] }, step('one')).at(-1)).toContain('Nothing of shop is left on the node.')
    expect(ended({ names: ['one', 'two'], fresh: ['one', 'two'] }, step('one')).at(-1)).toContain('left on the nodes.')
    expect(ended({ fresh: ['three'] }, step('three')).at(-1)).toContain(`${before}, and nothing of it is left on three.`)
  })

  it('does not say that all is as before where that failed as well', () => {
    const fallen = { begun: new Set<string>(), released: false, migrations: undefined, takenBack: false }
    expect(said(afterwards(shop(), step('one'), fallen)).at(-1)).toMatch(/Taking it back failed as well: kraft status/)
  })
})

describe('parts of a deploy', () => {
  const report = plainReport(() => undefined)
  const line: Line = { title: () => undefined, output: () => undefined, skip: () => undefined, list: report.list }
  const failing = async (whole: Rollout, ...bad: readonly string[]) => {
    const run = async (part: Rollout) => {
      for (const { name } of part.nodes) {
        if (bad.includes(name)) throw step(name)
        whole.switchedOn.add(name)
      }
    }
    return inParts(whole, line, run).then(
      () => [],
      (error: unknown) => said(error),
    )
  }

  it('of which some have switched end with what serves where', async () => {
    expect((await failing(shop({ batch: 1 }), 'two')).at(-1)).toBe(
      'next:  shop serves release 20261128-101500 on one, and what it served before on two, three. Correct it and run the same command again',
    )
    expect((await failing(shop({ batch: 1 }), 'one')).at(-1)).toContain(before)
    expect(await failing(shop({ batch: 1 }))).toEqual([])
  })

  it('that are one leave it to that, and a dry run says nothing of what serves', async () => {
    expect((await failing(shop(), 'two')).at(-1)).not.toContain('serve')
    expect((await failing(shop({ batch: 1, dryRun: true }), 'two')).at(-1)).not.toContain('serve')
  })

  it('that all have switched serve, whatever fails behind them', async () => {
    const failed = async (whole: Rollout) =>
      said(await onceServed(whole, () => Promise.reject(step('front'))).catch((error) => error))
    expect((await failed(shop())).at(-1)).toContain('shop serves release 20261128-101500 all the same')
    expect((await failed(shop({ dryRun: true }))).at(-1)).not.toContain('all the same')
  })
})

// Where the list itself is what fails, as with real nodes side by side.
it('nodes that fail side by side are several', async () => {
  const items: readonly Item[] = ['one', 'two'].map((title) => ({ title, run: () => Promise.reject(step(title)) }))
  const error = await plainReport(() => undefined)
    .list(items, { concurrent: true })
    .catch((each: unknown) => each)
  expect(ended({}, error).filter((row) => row.startsWith('next:'))).toEqual([
    `${before}. Correct it and run the same command again`,
  ])
})
