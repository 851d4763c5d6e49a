import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectFiles } from '../../project/files.js'
import { readIgnoreRules } from '../../project/ignore.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
/** check-ignore ends with 1 where nothing is left out. */
const git = (args: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync('git', ['-C', home.project, ...args], { input })
  if (status !== 0 && status !== 1) throw new Error(stderr.toString())
  return stdout.toString()
}

/** Numbers that look random and are the same each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const names = [
  'a',
  'ab',
  'abc',
  'b',
  'a.py',
  'b.log',
  '.c',
  'a b',
  'ü',
  '[a]',
  '!x',
  '#y',
  'a\\b',
  'x*',
  'A',
  '-a',
  'a-b',
  '1',
  ' ',
]
const pieces = [
  ...['*', '**', '?', '/', '/', '**/', '/**', '/**/', '!', '#', '\\', '\\*', '\\!', '\\#', '\\ ', ' ', '.', '-', '***', '*.*'],
  ...[
    '[',
    ']',
    '[a-c]',
    '[!a]',
    '[^b]',
    '[]a]',
    '[a-]',
    '[--a]',
    '[[:alpha:]]',
    '[[:digit:]x]',
    '[[:nope:]]',
    '[\\a]',
    '[c-a]',
    '[/]',
  ],
]

function tree(roll: (sides: number) => number): readonly string[] {
  const some = <T>(from: readonly T[]): T => from[roll(from.length)] as T
  // Folders have names of their own, so that no name is both.
  const folder = () => `${some(names)}${some(['d', '.d', ' d', 'ü'])}`
  return Array.from({ length: 25 }, () => [...Array.from({ length: roll(4) }, folder), some(names)].join('/'))
}

function rules(roll: (sides: number) => number, paths: readonly string[]): string {
  const line = () => {
    const parts = (paths[roll(paths.length)] ?? '').split('/')
    const words = roll(2) === 0 ? [parts[roll(parts.length)] ?? ''] : parts.slice(0, 1 + roll(parts.length))
    let text = words.join('/')
    for (let change = roll(3); change > 0; change--) {
      const at = roll(text.length + 1)
      text = text.slice(0, at) + (pieces[roll(pieces.length)] ?? '') + text.slice(at + roll(3))
    }
    return ['', '', '', '!', '/'][roll(5)] + text + ['', '', '', '/', ' ', '\r'][roll(6)]
  }
  return `${Array.from({ length: 1 + roll(6) }, line).join('\n')}\n`
}

describe('rules of .gitignore', () => {
  test('leave out of generated trees just what git leaves out', async () => {
    const made = new Set<string>()
    let left = 0
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed)
      rmSync(home.project, { recursive: true })
      mkdirSync(home.project)
      const paths = tree(roll)
      for (const path of paths) {
        mkdirSync(dirname(join(home.project, path)), { recursive: true })
        writeFileSync(join(home.project, path), '')
      }
      const folders = ['.', ...new Set(paths.map((path) => dirname(path)))]
      for (const folder of [folders[0], folders[roll(folders.length)]]) {
        const text = rules(roll, paths)
        made.add(text)
        writeFileSync(join(home.project, folder ?? '.', '.gitignore'), text)
      }
      const entries = (await projectFiles(home.project)).entries.map(({ path }) => path)
      git(['init', '-q'])
      const expected = git(['ls-files', '-o', '--exclude-standard', '-z']).split('\0').filter(Boolean)
      left += paths.filter((path) => !expected.includes(path)).length
      expect(new Set(entries), `${seed}: ${JSON.stringify([...made].slice(-2))}`).toEqual(new Set(expected))
      expect((await projectFiles(home.project)).entries.map(({ path }) => path)).toEqual(entries)
    }
    // Rules that match nothing would prove nothing.
    expect(left).toBeGreaterThan(100)
  }, 60_000)

  test('say of single names what git check-ignore says', () => {
    git(['init', '-q'])
    for (let seed = 1000; seed < 1150; seed++) {
      const roll = dice(seed)
      const paths = [...new Set(tree(roll))].filter((path) => !path.startsWith(':'))
      const text = rules(roll, paths)
      writeFileSync(join(home.project, '.gitignore'), text)
      const said = git(['check-ignore', '--no-index', '-v', '-n', '-z', '--stdin'], paths.map((path) => `${path}\0`).join(''))
      const words = said.split('\0')
      const read = readIgnoreRules(text)
      // Of a path below a folder that is left out git names the rule for the folder.
      const parents = (path: string) => path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
      for (let at = 0; at + 3 < words.length; at += 4) {
        const [pattern = '', path = ''] = words.slice(at + 2, at + 4)
        const above = parents(path).slice(0, -1)
        const verdict = above.some((folder) => read.verdict(folder, true) === 'out') ? 'out' : read.verdict(path, false)
        const expected = pattern === '' ? undefined : pattern.startsWith('!') ? 'in' : 'out'
        expect(verdict, `${seed}: ${JSON.stringify({ text, path, pattern })}`).toBe(expected)
      }
    }
  }, 60_000)

  test('may begin with a mark of UTF-8 and end without a line break', () => {
    expect(readIgnoreRules('\uFEFFa.py').verdict('x/a.py', false)).toBe('out')
  })
})
