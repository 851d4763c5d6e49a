import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { KraftError } from '../../../engine/errors/failure.js'
import { eventReport } from '../../../engine/report/events.js'
import { plainReport } from '../../../engine/report/plain.js'
import type { Item, Report } from '../../../engine/report/report.js'
import { terminalReport } from '../../../engine/report/terminal.js'

const broken = new KraftError({ kind: 'usage', message: 'broken' })
const other = new KraftError({ kind: 'usage', message: 'other' })

function quietly(make: () => Report): Report {
  const report = make()
  return {
    ...report,
    // What the terminal draws has its own test.
    async list(items, options) {
      const { write } = process.stderr
      process.stderr.write = (() => true) as typeof write
      try {
        await report.list(items, options)
      } finally {
        process.stderr.write = write
      }
    },
  }
}

describe.each<[string, () => Report]>([
  ['plain lines', () => plainReport(() => undefined)],
  ['events', () => eventReport(() => undefined)],
  ['a terminal', () => quietly(terminalReport)],
])('a list shown as %s', (_name, make) => {
  let log: string[] = []
  const report = () => {
    log = []
    return make()
  }
  const ends = (title: string, more: Partial<Item> & { after?: number; error?: Error } = {}): Item => ({
    title,
    ...(more.continue === undefined ? {} : { continue: more.continue }),
    run: async () => {
      await sleep(more.after ?? 0)
      log.push(title)
      if (more.error !== undefined) throw more.error
    },
  })
  const failure = (list: Promise<void>) =>
    list.then(
      () => undefined,
      (error: unknown) => error,
    )

  it('runs one after the other', async () => {
    await report().list([ends('a', { after: 30 }), ends('b')])
    expect(log).toEqual(['a', 'b'])
  })

  it('ends at the first failure, which is thrown as it is', async () => {
    const list = report()
    expect(await failure(list.list([ends('a'), ends('b', { error: broken }), ends('c')]))).toBe(broken)
    expect(log).toEqual(['a', 'b'])
  })

  it('throws what fails deep inside as it is', async () => {
    const deep = (inner: Item): Item => ({ title: 'deep', run: (line) => line.list([inner]) })
    expect(await failure(report().list([deep(deep(ends('a', { error: broken })))]))).toBe(broken)
    expect(await failure(report().list([deep(ends('a', { error: broken, continue: true }))]))).toBe(broken)
  })

  it('lets a body catch what failed inside, and go on', async () => {
    const caught: Item = {
      title: 'catches',
      run: async (line) => {
        await line.list([ends('a', { error: broken })]).catch(() => log.push('caught'))
        await line.list([ends('b')])
      },
    }
    await report().list([caught, ends('c')])
    expect(log).toEqual(['a', 'caught', 'b', 'c'])
  })

  it('goes on past items that do not matter to the rest, and tells which failed and which did not', async () => {
    const items = [ends('a', { continue: true, error: broken }), ends('b', { continue: true })]
    const error = await failure(report().list(items))
    expect(log).toEqual(['a', 'b'])
    expect(error).toMatchObject({ failure: { kind: 'several', failed: [{ title: 'a', error: broken }], done: ['b'] } })
  })

  it('side by side ends when all have ended, whoever failed first', async () => {
    const items = [ends('slow', { after: 60, error: other }), ends('quick', { error: broken }), ends('last', { after: 90 })]
    const error = await failure(report().list(items, { concurrent: true }))
    expect(log).toEqual(['quick', 'slow', 'last'])
    expect(error).toMatchObject({ failure: { kind: 'several', failed: [{ title: 'slow' }, { title: 'quick' }], done: ['last'] } })
  })

  it('side by side throws a single failure as it is', async () => {
    expect(await failure(report().list([ends('a', { error: broken }), ends('b')], { concurrent: true }))).toBe(broken)
  })

  it('runs so many at once as it is told, and all of them', async () => {
    let now = 0
    let most = 0
    const busy = (title: string): Item => ({
      title,
      run: async () => {
        most = Math.max(most, ++now)
        await sleep(10)
        now--
        if (title === '1') throw broken
      },
    })
    const error = await failure(report().list(['0', '1', '2', '3', '4'].map(busy), { concurrent: 2 }))
    expect(most).toBe(2)
    expect(error).toBe(broken)
  })

  it('of nothing is done', async () => {
    await report().list([])
    await report().list([], { concurrent: true })
  })
})

describe('events', () => {
  it('are one JSON document a line, and know their parents', async () => {
    let text = ''
    const report = eventReport((more) => {
      text += more
    })
    const items: Item[] = [
      {
        title: 'outer',
        run: (line) =>
          line.list([
            { title: 'step', run: (own) => own.title('step', 'changed') },
            { title: 'none', run: (own) => own.skip('no need') },
          ]),
      },
      {
        title: 'fails',
        run: (line) => {
          line.output('two\nlines')
          throw broken
        },
      },
    ]
    report.note('hello')
    await expect(report.list(items)).rejects.toBe(broken)
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line, (key, value: unknown) => (key === 'milliseconds' ? undefined : value))),
    ).toEqual([
      { event: 'note', text: 'hello' },
      { event: 'begin', id: 1, title: 'outer' },
      { event: 'begin', id: 2, parent: 1, title: 'step' },
      { event: 'end', id: 2, title: 'step (changed)', status: 'done', mark: 'changed' },
      { event: 'begin', id: 3, parent: 1, title: 'none' },
      { event: 'end', id: 3, title: 'none', status: 'skipped', reason: 'no need' },
      { event: 'end', id: 1, title: 'outer', status: 'done' },
      { event: 'begin', id: 4, title: 'fails' },
      { event: 'output', id: 4, text: 'two\nlines' },
      { event: 'end', id: 4, title: 'fails', status: 'failed' },
    ])
  })
})
