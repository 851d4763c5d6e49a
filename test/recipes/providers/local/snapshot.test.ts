import { expect, test } from 'vitest'
import { checkSnapshotName, parseSnapshots } from '../../../../recipes/providers/local/snapshot.js'

test('snapshots are read the newest first, with time and size', () => {
  expect(parseSnapshots('old 1764385200 1024\nnew 1764385260 2048\n')).toEqual([
    { name: 'new', time: '2025-11-29T03:01:00.000Z', size: 2048 },
    { name: 'old', time: '2025-11-29T03:00:00.000Z', size: 1024 },
  ])
  expect(parseSnapshots('')).toEqual([])
})

test.each(['before-upgrade', '20261129-031000', 'v1.2_x'])('%s can be a name', (name) => {
  expect(() => checkSnapshotName(name)).not.toThrow()
})

test.each(['', '.new', '..', 'a/b', 'a b', '-x', 'x'.repeat(64)])('"%s" can be none', (name) => {
  expect(() => checkSnapshotName(name)).toThrow("A snapshot can't be called")
})
