import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { difference } from '../../../engine/transfer/difference.js'
import type { Fingerprint } from '../../../engine/transfer/fingerprint.js'
import { ended, Manifest, sha256 } from '../../../engine/transfer/manifest.js'

const file = (path: string, content = path, kind: Fingerprint['kind'] = 'file'): Fingerprint => ({
  path,
  kind,
  hash: sha256(content),
  size: content.length,
})
const odd = ['b', 'a', 'a b', 'a/b', 'new\nline', '\\', 'ü', '\uE000', '😀', '\uFF5E', '-rf', 'A', '~']

describe('a manifest', () => {
  test('has the order in which coreutils join and compare', () => {
    const { records, text } = Manifest.of(odd.map((path) => file(path, 'same')))
    const env = { ...process.env, LC_ALL: 'C' }
    expect(text).toBe(execFileSync('sort', ['-z'], { input: ended([...records].reverse()), env }).toString())
  })

  test('is read as it was written, and has one digest for one tree', () => {
    const entries = odd.map((path, index) => file(path, path, index % 2 === 0 ? 'file' : 'program'))
    const manifest = Manifest.of(entries)
    expect(Manifest.read(manifest.text).digest).toBe(manifest.digest)
    expect(Manifest.of([...entries].reverse()).digest).toBe(manifest.digest)
    expect(new Set(manifest.entries.map(({ path, kind }) => `${kind} ${path}`))).toEqual(
      new Set(entries.map(({ path, kind }) => `${kind} ${path}`)),
    )
  })
})

describe('what it takes to make a tree', () => {
  const tree = (id: string, files: readonly Fingerprint[], touched: readonly string[] = []) => ({
    id,
    manifest: Manifest.of(files),
    touched,
  })

  test('starts from the tree that has most of it, by bytes', () => {
    const small = ['1', '2', '3'].map((path) => file(path))
    const big = file('big', 'x'.repeat(100))
    const wanted = [...small, big]
    expect(difference(wanted, [tree('small', small), tree('big', [big])])).toMatchObject({
      base: 'big',
      files: 0,
      copies: [
        ['small/1', '1'],
        ['small/2', '2'],
        ['small/3', '3'],
      ],
    })
  })

  test('takes nothing that was touched, nor what is below it', () => {
    const wanted = [file('a/b/c'), file('a/bb'), file('d')]
    const { packed, again } = difference(wanted, [tree('1', wanted, ['a/b', 'd'])])
    expect(packed.map(({ path }) => path).sort()).toEqual(['a/b/c', 'd'])
    expect(again).toHaveLength(2)
  })

  test('starts from nothing where no tree has any of it', () => {
    expect(difference([file('a')], [tree('1', [file('b')])])).toMatchObject({ base: undefined, removed: [], files: 1 })
  })

  test('sends what is empty instead of copying it, and copies a thousand files at the most', () => {
    const before = Array.from({ length: 1500 }, (_, index) => file(`old/${index}`))
    const after = before.map((each) => ({ ...each, path: each.path.replace('old', 'new') }))
    const { copies, files } = difference([...after, file('new/empty', '')], [tree('1', [...before, file('none', '')])])
    expect([copies.length, files]).toEqual([1000, 501])
  })
})
