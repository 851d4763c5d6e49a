import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Case, check, clear, inFolders, kraftfile, run } from './refused.fixture.js'

inFolders()

describe.concurrent('says where a kraftfile is wrong, why and what next', () => {
  test.each<Case>([
    [
      'deploy:stage',
      kraftfile('export const a = task({ run: ( => 1 })'),
      2,
      'error: HERE/kraftfile.ts:2:32: Syntax error: Unexpected token',
    ],
    [
      'run:stage -- true',
      kraftfile('export const a = task({ run: ( => 1 })'),
      255,
      'error: HERE/kraftfile.ts:2:32: Syntax error: Unexpected token',
    ],
    ['--list', kraftfile("throw new Error('no luck')"), 2, 'error: HERE/kraftfile.ts:2:7: This code failed: no luck'],
    [
      '--list',
      kraftfile('await new Promise(() => undefined)'),
      2,
      'error: HERE/kraftfile.ts:2:1: The top of this file waits for something that never comes\nnext:  Move the await into the body',
    ],
    [
      '--list',
      kraftfile("import pad from 'left-pad-that-is-not'\nexport const a = task({ run: pad })"),
      2,
      'error: HERE/kraftfile.ts:2:17: Cannot find what it imports: "left-pad-that-is-not"\nnext:  npm install --save-dev left-pad-that-is-not',
    ],
    [
      '--list',
      kraftfile("import pad from './pad.js'\nexport const a = task({ run: pad })"),
      2,
      'error: HERE/kraftfile.ts:2:17: Cannot find what it imports: "./pad.js"',
    ],
    [
      'throws',
      kraftfile("export const throws = task({ on: 'once', needs: 'nothing', run() {\n  none()\n} })"),
      1,
      'error: HERE/kraftfile.ts:3: none is not defined\n  --debug shows where it came from',
    ],
    [
      'hours',
      kraftfile(
        "export const hours = task({ on: 'once', needs: 'nothing', options: { n: { type: 'number', positional: true } }, run() {} })",
      ),
      0,
      '',
    ],
    [
      'hours many',
      kraftfile(
        "export const hours = task({ on: 'once', needs: 'nothing', options: { n: { type: 'number', positional: true } }, run() {} })",
      ),
      2,
      'error: N is a number, got "many"\nnext:  See: kraft help hours',
    ],
  ])('for a mistake in a kraftfile: kraft %s', async (command, files, code, said) => {
    if (code !== 0) await check(command, files, code, said)
    else expect(await run(command, files)).toMatchObject({ code, said })
  })
})

describe.concurrent('a kraftfile', () => {
  const failing = kraftfile(
    "export const boom = task({ on: 'once', needs: 'nothing', run: ({ local }) => local.$`echo a; echo b >&2; exit 7` })",
  )

  test('whose command fails shows the command, its code and its last lines', async () => {
    const ended = await run('boom', failing)
    expect(ended).toMatchObject({
      code: 1,
      said: 'error: this machine: echo a; echo b >&2; exit 7: ended with code 7\n  | a\n  | b',
    })
    clear(ended)
  })

  test('whose command fails leaves stdout empty with --json, and shows a stack with --debug', async () => {
    expect(await run('boom --json', failing)).toMatchObject({ code: 1, stdout: '' })
    expect((await run('boom --debug', failing)).stderr).toMatch(/^\s+at .*:\d+/m)
  })

  test('with errors of types runs', async () => {
    const files = kraftfile(
      "const n: number = 'text'\nexport const hello = task({ on: 'once', needs: 'nothing', run() { console.log(n, 1 as string) } })",
    )
    expect(await run('hello', files)).toMatchObject({ code: 0, stdout: 'text 1\n' })
  })

  test.each([
    ['its file', 'kraftfile.ts', 0o666],
    ['its folder', '.', 0o777],
  ])('is not run where everybody can write %s', async (_what, path, mode) => {
    const ended = await run('--list', kraftfile(''), (here) => chmod(join(here, path), mode))
    expect(ended).toMatchObject({ code: 2 })
    expect(ended.said).toContain('error: HERE/kraftfile.ts: kraft does not run code that others can change: everybody can write')
    expect(ended.said).toContain('next:  chmod o-w HERE')
  })
})
