import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { requireWritable } from '../../tasks/require-writable.js'
import { failureOf } from '../rig/failure.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-writable-'))
  await mkdir(join(folder, 'there'))
  await writeFile(join(folder, 'file'), '')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('a new file, and one that is there, can be written', async () => {
  await requireWritable(join(folder, 'there/new'))
  await requireWritable(join(folder, 'file'))
})

it.each([
  ['there', /there is a folder/],
  ['missing/new', /There is no folder .*\/missing/],
  ['file/new', /file is no folder/],
])('%s can not, which is told before anything is done', async (path, said) => {
  expect(await failureOf(requireWritable(join(folder, path)))).toMatchObject({ kind: 'usage', said: expect.stringMatching(said) })
})
