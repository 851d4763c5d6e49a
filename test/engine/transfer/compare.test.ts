import { expect, it } from 'vitest'
import { compareTrees } from '../../../engine/transfer/compare.js'
import { type Kind, Manifest, sha256 } from '../../../engine/transfer/manifest.js'

const tree = (entries: Readonly<Record<string, readonly [Kind, string]>>) =>
  Manifest.of(Object.entries(entries).map(([path, [kind, content]]) => ({ path, kind, hash: sha256(content) })))

it('tells by path what was added, removed, changed, or has another mode', () => {
  const before = tree({ same: ['file', 'a'], gone: ['file', 'b'], text: ['file', 'c'], script: ['file', 'd'] })
  const after = tree({ same: ['file', 'a'], fresh: ['link', 'b'], text: ['file', 'C'], script: ['program', 'd'] })
  expect(compareTrees(before, after)).toEqual([
    { path: 'fresh', change: 'added' },
    { path: 'gone', change: 'removed' },
    { path: 'script', change: 'mode' },
    { path: 'text', change: 'changed' },
  ])
  expect(compareTrees(after, after)).toEqual([])
})
