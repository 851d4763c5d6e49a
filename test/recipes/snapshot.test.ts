import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { pruneSnapshots, snapshotFor } from '../../recipes/snapshot.js'
import { runSteps } from '../rig/run-steps.js'

const served = (...ids: readonly string[]) => ids.map((id) => ({ id, served: true, bad: undefined }))

it('the data that a release left are in the snapshot of the deploy after it', () => {
  const releases = served('3', '2', '1')
  expect(snapshotFor('before-2\nbefore-3\n', '1', releases)).toBe('2')
  expect(snapshotFor('before-2\nbefore-3\n', '2', releases)).toBe('3')
})

it('where that deploy took none, a later one is not taken for it', () => {
  expect(snapshotFor('before-3\n', '1', served('3', '2', '1'))).toBeUndefined()
  expect(snapshotFor('', '3', served('3', '2', '1'))).toBeUndefined()
})

it('a deploy that never served, or that was rolled back from, is not the end of the release before it', () => {
  const [third, second, first] = served('3', '2', '1')
  const all = 'before-2\nbefore-3\n'
  if (third === undefined || second === undefined || first === undefined) throw new Error('three')
  expect(snapshotFor(all, '1', [third, { ...second, served: false }, first])).toBe('3')
  expect(snapshotFor(all, '1', [third, { ...second, bad: 'ann' }, first])).toBe('3')
  // Its code is back, and its data are not yet.
  expect(snapshotFor(all, '1', [{ ...third, bad: 'ann' }, { ...second, bad: 'ann' }, first])).toBe('3')
})

it('a snapshot goes with its release', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kraft-snapshot-'))
  onTestFinished(() => rm(home, { recursive: true }))
  for (const path of ['dump', 'releases/2', 'dump/before-2']) await mkdir(join(home, path), { recursive: true })
  const left = async () => {
    await runSteps(pruneSnapshots({ name: 'shop', home }))
    return readdir(join(home, 'dump'))
  }
  expect(await left()).toEqual(['before-2'])
  await mkdir(join(home, 'dump/before-1'))
  expect(await left()).toEqual(['before-2'])
  await rm(join(home, 'releases/2'), { recursive: true })
  expect(await left()).toEqual([])
})
