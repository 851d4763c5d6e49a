import { expect, it } from 'vitest'
import { valueProblem, variableProblem } from '../../project/variable-name.js'

it.each([
  ['KRAFT_ENV', "kraft's own"],
  ['kraft_user', "kraft's own"],
  ['PATH', 'made by kraft'],
  ['LD_PRELOAD', "system's loader"],
  ['LD_AUDIT', "system's loader"],
  ['HOME', 'set by kraft'],
  ['BASH_ENV', 'the shell'],
  ['IFS', 'the shell'],
  ['BASH_FUNC_id', 'the shell'],
  ['1A', 'no name'],
  ['A-B', 'no name'],
  ['A B', 'no name'],
  ['', 'no name'],
])('%j cannot be set, with a reason', (name, why) => expect(variableProblem(name)).toContain(why))

it.each(['A', 'API_KEY', '_x', 'PATHS', 'OLD_PATH', 'TZ', 'LANG', 'SECRET_KEY', 'DATABASE_URL'])('%s can be set', (name) =>
  expect(variableProblem(name)).toBeUndefined(),
)

it('a value is anything but NUL bytes, up to what Linux takes', () => {
  expect(valueProblem(Buffer.from([1, 255, 10]))).toBeUndefined()
  expect(valueProblem(Buffer.from('a\0b'))).toContain('NUL byte')
  expect(valueProblem(Buffer.alloc(120_001, 'x'))).toContain('120001 bytes')
})
