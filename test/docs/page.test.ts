import { expect, test } from 'vitest'
import { guides } from './guides.js'
import { type Block, parsePage } from './page.js'
import { readPage } from './page-on-nodes.js'

const blocks = (text: string): readonly Block[] => parsePage('docs/x.md', text).blocks
const refusal = (text: string): string => {
  try {
    parsePage('docs/x.md', text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'it was taken'
}

test('commands, what they print, and how they end, each with its line', () => {
  const page = '# Page\n\n```sh\nkraft up\n```\n\nThen:\n\n```text\none\n…\n\n  two … three\n```\n```sh fails\nfalse\n```\n'
  expect(blocks(page)).toEqual([
    {
      kind: 'commands',
      line: 3,
      first: 4,
      text: 'kraft up\n',
      ends: 'well',
      prints: { line: 9, lines: ['one', '  two … three'] },
    },
    { kind: 'commands', line: 15, first: 16, text: 'false\n', ends: 'badly' },
  ])
})

test('files by language and path, added to with +, and changes', () => {
  const page =
    '```yaml kraftwerk.yaml\nversion: 1\n```\n```sh bin/run.sh +\ntrue\n```\n```diff\n-a\n+b\n```\n```yaml\nx: 1\n```\n'
  expect(blocks(page)).toEqual([
    { kind: 'file', line: 1, language: 'yaml', path: 'kraftwerk.yaml', text: 'version: 1\n', append: false },
    { kind: 'file', line: 4, language: 'sh', path: 'bin/run.sh', text: 'true\n', append: true },
    { kind: 'patch', line: 7, text: '-a\n+b\n' },
    { kind: 'shown', line: 11, language: 'yaml', text: 'x: 1\n' },
  ])
})

test('a comment hides commands; one in a block is text, and a longer fence holds a shorter one', () => {
  const page =
    '<!-- test: cd shop -->\n<!-- test:\nseq 3\ntrue\n-->\n<!-- a remark -->\n````python a.py\n```sh\n<!-- test: x -->\n```\n````\n'
  expect(blocks(page)).toEqual([
    { kind: 'commands', line: 1, first: 1, text: 'cd shop\n', ends: 'well' },
    { kind: 'commands', line: 2, first: 2, text: '\nseq 3\ntrue\n', ends: 'well' },
    { kind: 'file', line: 7, language: 'python', path: 'a.py', text: '```sh\n<!-- test: x -->\n```\n', append: false },
  ])
})

test('a block in a list has no more of its indentation, and what is printed elsewhere is only shown', () => {
  expect(blocks('1. Do\n\n   ```sh elsewhere\n   kraft deploy\n     x\n   ```\n   ```text\n   done\n   ```\n')).toEqual([
    { kind: 'shown', line: 3, language: 'sh', text: 'kraft deploy\n  x\n' },
    { kind: 'shown', line: 7, language: 'text', text: 'done\n' },
  ])
})

test.each([
  ['```shh\n```\n', 'docs/x.md:1: ```shh is no language that pages use; those are '],
  ['```\nx\n```\n', 'docs/x.md:1: a block needs a word that says what it is'],
  ['\n```sh fial\nx\n```\n', 'docs/x.md:2: ```sh fial: fails, interrupted, elsewhere, or the path of a file can stand there'],
  ['```yaml a.yaml please\n```\n', 'docs/x.md:1: "please" behind the path; only a + can stand there'],
  ['```yaml a.yaml + b\n```\n', 'docs/x.md:1: "+ b" behind the path'],
  ['```yaml /etc/hosts\n```\n', 'docs/x.md:1: /etc/hosts leads out of the folder'],
  ['```yaml a/../../b\n```\n', 'docs/x.md:1: a/../../b leads out of the folder'],
  ['```text\nx\n```\n', 'docs/x.md:1: there is no ```sh right before this ```text'],
  ['```sh\n```\n```text\nx\n```\n```text\ny\n```\n', 'docs/x.md:6: there is no ```sh right before this ```text'],
  ['```sh interrupted\nx\n```\n', 'docs/x.md:1: ```sh interrupted needs a ```text behind it'],
  ['a\n```sh\nx\n', 'docs/x.md:2: this block has no end'],
  ['<!-- test: x\n', 'docs/x.md:1: this comment has no end: -->'],
])('%j is refused with its line', (text, message) => expect(refusal(text)).toContain(message))

test.each(['docs/tutorial.md', ...guides])('%s can be run', async (path) => {
  const kinds = (await readPage(path)).blocks.map(({ kind }) => kind)
  expect(kinds).toContain('commands')
})
