import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
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

it('where a package of Debian is missing, its command comes first of what remains to do', async () => {
  const bin = join(folder, 'bin')
  const said =
    'The virtual environment was not created successfully.\n\n    apt install python3.11-venv\n\nFailing command: /x/python3\n'
  await mkdir(bin)
  await writeFile(join(bin, 'python3'), `#!/bin/sh\nprintf '${said.replaceAll('\n', '\\n')}'\nexit 1\n`, { mode: 0o755 })
  vi.stubEnv('PATH', bin)
  const asked = await make()
  vi.unstubAllEnvs()
  expect(asked).toEqual({
    problem: "Python's venv is not installed",
    next: expect.stringMatching(/^sudo apt install python3\.11-venv && python3 -m venv \.venv && /),
  })
})

it('a repository is made where there is none, and not inside of one', async () => {
  expect(await beginRepository(folder)).toBe(true)
  const inside = join(folder, 'shop')
  await mkdir(inside)
  expect(await beginRepository(inside)).toBe(false)
  expect(existsSync(join(inside, '.git'))).toBe(false)
})
