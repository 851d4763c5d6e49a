import { stripVTControlCharacters } from 'node:util'
import { Terminal } from '@xterm/headless'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, program } from '../../rig/program.js'
import { inTerminal } from '../../rig/terminal.js'

let built: Program
beforeAll(async () => {
  built = await program(new URL('../cli/kraft.fixture.ts', import.meta.url).pathname, ['engine'])
}, 60_000)
afterAll(() => built.remove())

/** What a person sees: the whole of it, with what has scrolled away, after each thing that was drawn. */
async function watch(columns: number, rows: number, word: string): Promise<{ frames: string[][]; code: number }> {
  const { CI: _ci, ...plain } = process.env
  const terminal = await inTerminal([process.execPath, built.file, word], {
    columns,
    rows,
    cwd: '/tmp',
    env: { ...plain, NO_COLOR: '1', TERM: 'xterm' },
  })
  const code = await terminal.ended()
  const screen = new Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
  const frames: string[][] = []
  // What is drawn anew begins by erasing what was there, from the line below it.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how a terminal is told
  for (const part of terminal.seen().split(/(?<=\n)(?=\u001b\[2K)/)) {
    await new Promise<void>((resolve) => screen.write(part, resolve))
    const { active } = screen.buffer
    frames.push(Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? ''))
  }
  return { frames, code }
}

/** Each step that runs stands below its node, not below the one of another. */
function parentsShown(frame: readonly string[]): boolean {
  let steps = 0
  for (const line of frame) {
    if (/^ {2}\S/.test(line)) steps = 0
    else if (/^ {4}[^\s⋮✔] A step/.test(line) && ++steps > 1) return false
  }
  return true
}

describe.each([
  [40, 15],
  [40, 20],
  [100, 30],
])('60 nodes on a terminal of %i columns and %i rows', (columns, rows) => {
  it('are drawn in place: nothing scrolls away, breaks, or hides what failed', async () => {
    const { frames, code } = await watch(columns, rows, 'fleet')
    expect(code).toBe(1)
    const drawn = frames.filter((frame) => frame.some((line) => line.includes('node-')))
    expect(drawn.length).toBeGreaterThan(1)
    const last = drawn.at(-1) ?? []
    const failing = drawn.filter(
      (frame) => frame.some((line) => /✖ A step/.test(line)) && frame.some((line) => line.includes('node-13')),
    )
    expect(failing.length).toBeGreaterThan(0)
    // The list stands there once in the end, with the one that failed, and below it the error.
    expect(last.filter((line) => /fleet/.test(line) && !line.includes('error')).length).toBe(1)
    expect(last.join('\n')).toMatch(/node-13.*\n.*\n *✖ A step/)
    expect(last.join('\n')).toMatch(/error: .*unlucky/)
    // A step that runs stands below its own node, also once another one failed.
    for (const frame of failing) expect(parentsShown(frame)).toBe(true)
    // The warning above the list takes two lines at the most, and may scroll away.
    const tall = drawn.slice(0, -3).map((frame) => frame.filter((line) => line !== '').length)
    expect(Math.max(0, ...tall)).toBeLessThanOrEqual(rows + 2)
  })
})

it('what takes longer than a second says how long it took', async () => {
  const { frames } = await watch(100, 80, 'fleet')
  const shown = stripVTControlCharacters((frames.at(-1) ?? []).join('\n'))
  expect(shown).toMatch(/node-59 \d+ s$/m)
})

it('the line that a step says before it is drawn for the first time is shown', async () => {
  const { frames } = await watch(80, 24, 'early')
  expect(
    frames.some((frame) => frame.some((line) => /A step/.test(line)) && frame.some((line) => /the only line/.test(line))),
  ).toBe(true)
})

it('tabs, wide letters, emoji and carriage returns break no line, so that nothing is drawn twice', async () => {
  const { frames } = await watch(40, 24, 'strange')
  const shown = frames.map((frame) => frame.filter((line) => line !== ''))
  for (const frame of shown) {
    const times = (what: RegExp) => frame.filter((line) => what.test(line)).length
    expect(
      [times(/A step/), times(/漢字/), times(/🚀/)].filter((each) => each > 1),
      frame.join('\n'),
    ).toEqual([])
  }
  expect(shown.some((frame) => frame.some((line) => /漢字.*…$/.test(line)))).toBe(true)
  expect(shown.some((frame) => frame.some((line) => /^ *› Reading… 100%$/.test(line)))).toBe(true)
  expect(shown.some((frame) => frame.some((line) => /› a +b +c/.test(line)))).toBe(true)
})

it.each([
  [100, 40],
  [40, 100],
])('a terminal that goes from %i to %i columns while a list is drawn has each line of it once', async (from, to) => {
  const { CI: _ci, ...plain } = process.env
  const options = { columns: from, rows: 24, cwd: '/tmp', env: { ...plain, NO_COLOR: '1', TERM: 'xterm' } }
  const terminal = await inTerminal([process.execPath, built.file, 'strange'], options)
  const screen = new Terminal({ cols: from, rows: 24, allowProposedApi: true })
  const write = (text: string) => new Promise<void>((resolve) => screen.write(text, resolve))
  await terminal.sees('Reading… 100%')
  const before = terminal.seen()
  await write(before)
  // As most terminals do, it breaks what is there anew.
  screen.resize(to, 24)
  terminal.resize(to, 24)
  // All of the new width is used at once.
  if (to > from) await terminal.sees(/(漢字){20}/)
  await terminal.ended()
  await write(terminal.seen().slice(before.length))
  const { active } = screen.buffer
  const shown = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? '')
  for (const word of [/A step/, /漢字/, /🚀/])
    expect(shown.filter((line) => word.test(line)).length, shown.join('\n')).toBeLessThan(2)
  expect(shown.filter((line) => /A step/.test(line))).toHaveLength(1)
})

it('a dumb terminal gets plain lines: no colours, nothing drawn over', async () => {
  const { CI: _ci, NO_COLOR: _no, FORCE_COLOR: _force, ...plain } = process.env
  const env = { ...plain, TERM: 'dumb' }
  const terminal = await inTerminal([process.execPath, built.file, 'early'], { columns: 80, rows: 24, cwd: '/tmp', env })
  expect(await terminal.ended()).toBe(0)
  expect(terminal.seen()).toContain('the only line')
  expect(terminal.seen()).not.toContain('\x1b')
})
