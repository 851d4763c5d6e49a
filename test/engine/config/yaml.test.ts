import { describe, expect, it } from 'vitest'
import { parseYaml, readYaml } from '../../../engine/config/yaml.js'
import { freshHome, settingError } from '../../rig/home.js'

const home = freshHome()

describe('places', () => {
  it('are those of keys and of values, also in lists, nested and quoted', async () => {
    const yaml = await parseYaml('# top\ndomain: example.com\nlist: [a, "b"]\nmap:\n  deep:\n    - x: 1\n', 'k.yaml')
    expect(yaml.place(['domain'])).toEqual({ file: 'k.yaml', line: 2, column: 9 })
    expect(yaml.place(['domain'], 'key')).toEqual({ file: 'k.yaml', line: 2, column: 1 })
    expect(yaml.place(['list', 1])).toEqual({ file: 'k.yaml', line: 3, column: 11 })
    expect(yaml.place(['map', 'deep', 0, 'x'])).toEqual({ file: 'k.yaml', line: 6, column: 10 })
  })

  it('fall back to the nearest thing above what is not there', async () => {
    const yaml = await parseYaml('a: 1\nmap:\n  b: 2\n', 'k.yaml')
    expect(yaml.place(['map', 'nothing', 'below'])).toEqual({ file: 'k.yaml', line: 2, column: 1 })
    expect(yaml.place(['nothing'])).toEqual({ file: 'k.yaml', line: 1, column: 1 })
  })

  it('follow an alias to where its value stands', async () => {
    const yaml = await parseYaml('a: &x\n  b: 1\nc: *x\n', 'k.yaml')
    expect(yaml.place(['c', 'b'])).toMatchObject({ line: 2, column: 6 })
  })
})

it('the text of a number is as it was written', async () => {
  const yaml = await parseYaml('a: 1.10\nb: 0x10\nc: yes', 'k.yaml')
  expect([yaml.source(['a']), yaml.source(['b']), yaml.source(['c']), yaml.source(['d'])]).toEqual([
    '1.10',
    '0x10',
    'yes',
    undefined,
  ])
})

it('an empty file is an empty map', async () => {
  const file = await home.write('empty.yaml', '# nothing\n')
  expect((await readYaml(file)).value).toEqual({})
})

describe.each([
  ['a key that is there twice', 'a: 1\nb: 2\na: 3\n', '3:1', 'This key is here twice: "a"'],
  ['a tab', 'a:\n\tb: 1\n', '2:1', 'This is not YAML'],
  ['a bracket that stays open', 'a: [1, 2\nb: 3\n', '1:4', 'a list is opened here'],
  ['a quote that stays open', 'a: "x\n', '1:4', 'a quote is opened here'],
  ['an alias of nothing, which may be a password,', 'a: 1\nb: *c4nary\n', '2:4', 'What begins with * is an alias'],
  ['a second document', 'a: 1\n---\nb: 2\n', '2:1', 'One document a file'],
])('%s', (_name, text, at, message) => {
  it('is an error with its place', async () => {
    const error = await settingError(parseYaml(text, 'k.yaml'))
    expect(error).toMatchObject({ at, message: expect.stringContaining(message) })
    expect(error.message).not.toContain('c4nary')
  })
})

it('aliases that would fill the memory are refused', async () => {
  const rows = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]},`.repeat(9)}]`),
  ]
  expect((await settingError(parseYaml(rows.join('\n'), 'k.yaml'))).message).toContain('alias')
})
