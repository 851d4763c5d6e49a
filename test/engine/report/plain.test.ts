import { expect, test } from 'vitest'
import { plainReport } from '../../../engine/report/plain.js'
import type { Item } from '../../../engine/report/report.js'

function written(items: readonly Item[], options: { everything?: boolean; concurrent?: boolean } = {}): Promise<string> {
  let text = ''
  const report = plainReport((more) => {
    text += more
  }, options)
  return report.list(items, { concurrent: options.concurrent ?? false }).then(
    () => text,
    () => text,
  )
}

const steps: Item[] = [
  {
    title: 'Packages',
    run: (line) => {
      line.output('Unpacking nginx', 'detail')
      line.title('Packages', 'changed')
    },
  },
  { title: 'Group web', run: (line) => line.title('Group web', 'ok') },
  { title: 'Swap', run: (line) => line.skip('a container has none') },
  { title: 'Migrate', run: (line) => line.output('Applying 0001') },
]
const task: Item = { title: 'bootstrap:one', run: (line) => line.list(steps, { brief: true }) }

test('plain lines show what changed, what was passed over and what people read, and not what was so already', async () => {
  expect(await written([task])).toBe(
    [
      '> bootstrap:one',
      '  * Packages (changed)',
      '  - Swap (a container has none)',
      '    | Applying 0001',
      '  * Migrate',
      '',
    ].join('\n'),
  )
})

test('with everything they show each step and all output', async () => {
  expect(await written([task], { everything: true })).toContain('    | Unpacking nginx\n  * Packages (changed)\n  * Group web\n')
})

test('what runs side by side says on each line whose it is', async () => {
  const node = (title: string): Item => ({ title, run: (line) => line.list([{ title: 'Lock', run: () => undefined }]) })
  expect((await written([node('a'), node('b')], { concurrent: true })).split('\n').sort()).toEqual([
    '',
    '[a]   * Lock',
    '[a] > a',
    '[b]   * Lock',
    '[b] > b',
  ])
})

test('what failed is marked on each level', async () => {
  const broken: Item = {
    title: 'deploy',
    run: (line) => line.list([{ title: 'Health', run: () => Promise.reject(new Error('no')) }]),
  }
  expect(await written([broken])).toBe('> deploy\n  x Health\nx deploy\n')
})
