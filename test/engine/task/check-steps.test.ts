import { expect, it } from 'vitest'
import { KraftError } from '../../../engine/errors/failure.js'
import { sh } from '../../../engine/shell/sh.js'
import { checkSteps } from '../../../engine/task/check-steps.js'

const place = { file: '/shop/kraftfile.ts', line: 3, column: 14 }
const good = { title: 'Folder', check: sh`test -d /srv`, apply: sh`mkdir /srv` }

it('steps are taken as they are, from any list', () => {
  expect(checkSteps(new Set([good]), 'folders', place)).toEqual([good])
})

it.each([
  [undefined, 'The steps of folders are no list', 'Return one'],
  [[[good]], 'Among the steps of folders is a list', '[...apt('],
  [[good, 'mkdir /srv'], 'Step 2 of folders is no step', 'A step has a title'],
  [[{ ...good, chekc: good.check }], 'no step has: "chekc". Did you mean "check"?', 'It can have title, check'],
  [[{ apply: good.apply }], 'Step 1 of folders has no title', "title: '"],
  [[{ title: 'Folder' }], 'apply of "Folder" is no script', 'apply: sh`…`'],
  [[{ ...good, check: 'test -d /srv' }], 'check of "Folder" is no script', 'check: sh`…`'],
])('%j is refused at the task with its remedy', (given, says, next) => {
  expect(() => checkSteps(given, 'folders', place)).toThrow(KraftError)
  try {
    checkSteps(given, 'folders', place)
  } catch (error) {
    expect(error).toMatchObject({
      failure: { kind: 'setting', place, message: expect.stringContaining(says), next: expect.stringContaining(next) },
    })
  }
})
