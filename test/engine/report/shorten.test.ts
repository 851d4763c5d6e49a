import { expect, test } from 'vitest'
import { clip, settled, shorten } from '../../../engine/report/shorten.js'

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

test('what has lines below it runs, though listr2 draws it as if it waited', () => {
  const failed = ['  ✖ Switch', '  ◼ Tidy up', '  ◼ Take it back', '    ✔ Site', '    ✔ Data', '    ⠙ User']
  expect(shorten(failed, 5, { ...signs, failed: '✖' })).toEqual([
    failed[0],
    '  ⋮ 2 more',
    ...failed.slice(2, 3),
    ...failed.slice(4),
  ])
})

test('text is cut to the width with a sign that it was', () => {
  expect(clip('Directory', 9)).toBe('Directory')
  expect(clip('Directory', 5)).toBe('Dire…')
})

test('letters that take two columns count as two, and what joins another as none', () => {
  expect(clip('🎉🎉🎉', 6)).toBe('🎉🎉🎉')
  expect(clip('🎉🎉🎉', 5)).toBe('🎉🎉…')
  expect(clip('世界世界', 4)).toBe('世…')
  expect(clip('e\u0301t\u00e9', 3)).toBe('e\u0301t\u00e9')
})

test('a line is what a terminal would show of it: written over, without colours, with nothing that moves the cursor', () => {
  expect(settled('10%\r 50%\r100%')).toBe('100%')
  expect(settled('done\r')).toBe('done')
  expect(settled('\x1b[31mred\x1b[0m\ttab\x07')).toBe('red  tab')
})
