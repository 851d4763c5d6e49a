import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { beginRepository } from '../../project/repository.js'
import { makeVirtualenv } from '../../project/virtualenv.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-virtualenv-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const make = () => makeVirtualenv(folder, new AbortController().signal)

it('a virtualenv has a Python and what the requirements ask for', async () => {
  await writeFile(join(folder, 'requirements.txt'), '# nothing yet\n')
  expect(await make()).toHaveProperty('by')
  expect(existsSync(join(folder, '.venv/bin/python'))).toBe(true)
}, 180_000)

it('what can not be installed leaves no half of one, and says why and what remains to do', async () => {
  await writeFile(join(folder, 'requirements.txt'), './missing-1.0-py3-none-any.whl\n')
  expect(await make()).toMatchObject({
    problem: expect.stringContaining('missing-1.0'),
    next: expect.stringContaining('-r requirements.txt'),
  })
  expect(existsSync(join(folder, '.venv'))).toBe(false)
}, 180_000)

it('a repository is made where there is none, and not inside of one', async () => {
  expect(await beginRepository(folder)).toBe(true)
  const inside = join(folder, 'shop')
  await mkdir(inside)
  expect(await beginRepository(inside)).toBe(false)
  expect(existsSync(join(inside, '.git'))).toBe(false)
})
