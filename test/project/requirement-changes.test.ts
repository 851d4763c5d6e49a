import { expect, it } from 'vitest'
import { requirementChanges } from '../../project/requirement-changes.js'

it('puts the old and the new line of a package together, whatever the spelling of its name', () => {
  expect(requirementChanges('Django==5.1\nsix\ndj_url==1\n', 'dj-url==2\nsix\ndjango==5.2\n\n')).toEqual([
    { before: 'Django==5.1', after: 'django==5.2' },
    { before: 'dj_url==1', after: 'dj-url==2' },
  ])
})

it('names what is gone and what is new', () => {
  expect(requirementChanges('six\n', 'attrs\n')).toEqual([
    { before: 'six', after: null },
    { before: null, after: 'attrs' },
  ])
  expect(requirementChanges('six\n', 'six\n')).toEqual([])
})
