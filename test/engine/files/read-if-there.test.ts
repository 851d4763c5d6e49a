import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readIfThere } from '../../../engine/files/read-if-there.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-read-'))
  await writeFile(join(folder, 'file'), 'text')
})
afterAll(() => rm(folder, { recursive: true }))

it('gives the text of a file, as it is now', async () => {
  expect(await readIfThere(join(folder, 'file'))).toBe('text')
  await writeFile(join(folder, 'file'), 'then')
  expect(await readIfThere(join(folder, 'file'))).toBe('then')
})

it.each(['absent', 'absent/file', 'file/below'])('gives nothing for %s, which is not there', async (name) => {
  expect(await readIfThere(join(folder, name))).toBeUndefined()
})

it('says so where something is there that cannot be read', async () => {
  await expect(readIfThere(folder)).rejects.toThrow('EISDIR')
})
