import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createScreen, type Screen } from '../../../tasks/dev/screen.js'

async function shown(colored: boolean, work: (screen: Screen) => Promise<void> | void): Promise<string> {
  const out = new PassThrough()
  await work(createScreen(['web', 'worker'], out, colored))
  out.end()
  return text(out)
}

test('the last lines of what has ended are told again only where others have written behind them', async () => {
  const said = await shown(false, async (screen) => {
    const write = (name: string, lines: string) => new Promise((done) => void screen.writer(name).write(lines, done))
    await write('worker', 'worker | 1\nworker | 2\nworker | 3\nworker | 4\nworker | 5\nworker | 6\n')
    screen.sayEnd('worker', 'worker ended')
    await write('worker', 'worker | 7\n')
    await write('web', 'web    | asked\n')
    screen.sayEnd('worker', 'worker ended')
  })
  expect(said.split('\n').slice(6)).toEqual([
    'kraft  | worker ended',
    'worker | 7',
    'web    | asked',
    'kraft  | worker ended. It said last:',
    'worker | 7',
    '',
  ])
})

test('labels are of one width, and each program has its colour where there are colours', async () => {
  expect(await shown(false, ({ say, label }) => say(label('web')))).toBe('kraft  | web    | \n')
  const [web, worker] = ['web', 'worker'].map((name) => createScreen(['web', 'worker'], new PassThrough(), true).label(name))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  expect([web, worker]).toEqual([expect.stringMatching(/^\x1b\[36mweb/), expect.stringMatching(/^\x1b\[33mworker/)])
})
