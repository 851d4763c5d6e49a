import { expect, test } from 'vitest'
import { shorten } from '../../../engine/report/shorten.js'

const signs = { waiting: '◼', done: ['✔', '↓'] }
const lines = [
  '❯ deploy:demo',
  '  ✔ Lock',
  '  ❯ Set up',
  '    ✔ Group',
  '    ↓ Swap (a container)',
  '    \x1b[33m⠙\x1b[39m User',
  '      › adding',
  '    ◼ Folder',
  '    ◼ Key',
  '  ◼ Site',
  '  ◼ Switch',
]

test('a list that fits stays as it is', () => {
  expect(shorten(lines, 11, signs)).toBe(lines)
})

test('a list that is too tall loses what waits first, the deepest and last of it before the rest, and says how many', () => {
  expect(shorten(lines, 10, signs)).toEqual([...lines.slice(0, 7), '    ⋮ 2 more', '  ◼ Site', '  ◼ Switch'])
  expect(shorten(lines, 8, signs)).toEqual([...lines.slice(0, 7), '    ⋮ 4 more'])
})

test('then what is done goes, and what runs stays with its output', () => {
  expect(shorten(lines, 5, signs)).toEqual([lines[0], '  ⋮ 7 more', lines[2], lines[5], lines[6]])
})
