import { expect, it } from 'vitest'
import { snapshotFor } from '../../recipes/snapshot.js'

it('the data that a release left are in the snapshot of the deploy after it', () => {
  const releases = ['3', '2', '1']
  expect(snapshotFor('before-2\nbefore-3\n', '1', releases)).toBe('2')
  expect(snapshotFor('before-2\nbefore-3\n', '2', releases)).toBe('3')
})

it('where that deploy took none, a later one is not taken for it', () => {
  expect(snapshotFor('before-3\n', '1', ['3', '2', '1'])).toBeUndefined()
  expect(snapshotFor('', '3', ['3', '2', '1'])).toBeUndefined()
})
