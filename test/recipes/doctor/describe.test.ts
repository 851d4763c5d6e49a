import { expect, it } from 'vitest'
import { describeExamined } from '../../../recipes/doctor/describe.js'
import { doubtful, wrong } from '../../../recipes/doctor/finding.js'

const fine = { check: 'git', about: 'git', said: '2.39', findings: [] }
const bad = {
  check: 'login',
  about: 'one',
  said: '',
  findings: [wrong('It is off', 'Switch it on'), doubtful('It is old', 'Wait')],
}

it('what is well is a line, a finding says what to do', () => {
  expect(describeExamined([fine, bad], Number.POSITIVE_INFINITY, false).split('\n')).toEqual([
    'ok       git: 2.39',
    'error    one: It is off',
    '         Next: Switch it on',
    'warning  one: It is old',
    '         Next: Wait',
    '',
    '1 thing needs a hand; 1 warning',
  ])
})

it('fits a narrow terminal, without cutting a word', () => {
  const rows = describeExamined([{ ...fine, said: 'the project is in a repository' }], 30, false).split('\n')
  expect(rows.slice(0, 2)).toEqual(['ok       git: the project is', '         in a repository'])
})

it('says so where all is well', () => {
  expect(describeExamined([fine], 80, false)).toMatch(/\n\nAll is well$/)
})
