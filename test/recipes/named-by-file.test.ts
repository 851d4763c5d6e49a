import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { dropNamed, keepNames, namingFiles, swapNames, unswapNames } from '../../recipes/named-by-file.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraftwerk-named-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const files = () => namingFiles(join(folder, 'x'))
const put = (content: Partial<ReturnType<typeof files>>) => {
  for (const [key, text] of Object.entries(content)) writeFileSync(files()[key as 'live'], `${text}`)
}
const state = () => Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
const run = (script: string) => execFileSync('sh', ['-e', '-c', script], { encoding: 'utf8' })
const drop = sh`drop() { cat "$1"; rm "$1"; }`

it('what is beside becomes live, and what was live is the former until it is forgotten', () => {
  put({ live: 'one', beside: 'two' })
  run(swapNames(files()).text)
  expect(state()).toEqual({ x: 'two', 'x.former': 'one' })
  run(unswapNames(files()).text)
  run(keepNames(files()).text)
  expect(state()).toEqual({ x: 'one', 'x.former': 'two' })
  expect(run(dropNamed(files(), files().former, drop).text)).toBe('two')
  expect(state()).toEqual({ x: 'one' })
})

it('a swap is taken back from wherever it was cut, however often that is done', () => {
  const steps = swapNames(files()).text.split('\n')
  expect(steps).toHaveLength(3)
  for (let cut = 0; cut <= steps.length; cut += 1) {
    put({ live: 'one', beside: 'two' })
    const before = state()
    run(steps.slice(0, cut).join('\n'))
    for (let times = 0; times < 2; times += 1) {
      run(unswapNames(files()).text)
      expect(state(), `after ${cut} steps`).toEqual(before)
    }
    for (const file of readdirSync(folder)) rmSync(join(folder, file))
  }
  // The undo itself was cut.
  put({ live: 'two', former: 'one', beside: 'two' })
  run(unswapNames(files()).text)
  expect(state()).toEqual({ x: 'one', 'x.beside': 'two' })
})

it('without anything beside nothing is swapped, and what names the live data is never dropped', () => {
  put({ live: 'one' })
  expect(() => run(swapNames(files()).text)).toThrow()
  expect(state()).toEqual({ x: 'one' })
  put({ beside: 'one' })
  expect(run(dropNamed(files(), files().beside, drop).text)).toBe('')
  expect(state()).toEqual({ x: 'one' })
})
