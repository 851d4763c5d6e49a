import { expect, test } from 'vitest'
import { plainReport } from '../../../engine/report/plain.js'
import type { Item } from '../../../engine/report/report.js'

function written(
  items: readonly Item[],
  options: { everything?: boolean; concurrent?: boolean; color?: boolean } = {},
): Promise<string> {
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

test('a diff has the colours of git where there are colours, and other output has none', async () => {
  const diff = ['--- /etc/a', '+++ /etc/a (new)', '@@ -1 +1 @@', '-old', '+new', ' same']
  const items: Item[] = [
    {
      title: 'File /etc/a',
      run: (line) => {
        for (const text of diff) line.output(text, 'diff')
        line.output('+ not a diff')
        line.title('File /etc/a', 'would change')
      },
    },
  ]
  expect(await written(items)).toBe(
    `${[...diff, '+ not a diff'].map((text) => `  | ${text}\n`).join('')}* File /etc/a (would change)\n`,
  )
  expect(await written(items, { color: true })).toBe(
    [
      '  | \x1b[1m--- /etc/a\x1b[0m',
      '  | \x1b[1m+++ /etc/a (new)\x1b[0m',
      '  | \x1b[36m@@ -1 +1 @@\x1b[0m',
      '  | \x1b[31m-old\x1b[0m',
      '  | \x1b[32m+new\x1b[0m',
      '  |  same',
      '  | + not a diff',
      '* File /etc/a (would change)',
      '',
    ].join('\n'),
  )
})
