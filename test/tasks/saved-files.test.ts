import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { savedFiles } from '../../tasks/saved-files.js'

let folder: string
let over: AbortController
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-saved-'))
  over = new AbortController()
  await mkdir(join(folder, 'shop'))
  await mkdir(join(folder, '.venv'))
  await writeFile(join(folder, 'shop/views.py'), '1')
})
afterEach(async () => {
  over.abort()
  await rm(folder, { recursive: true, force: true })
})

test('what is saved is told, also in a folder that is new, and nothing of what a deploy leaves here', async () => {
  const saved = await savedFiles(folder, ['key.py'], over.signal)
  const next = async () => (await saved.next()).value?.paths
  await writeFile(join(folder, 'key.py'), 'x')
  await writeFile(join(folder, '.venv/a.py'), 'x')
  await writeFile(join(folder, 'shop/views.py'), '22')
  expect(await next()).toEqual(['shop/views.py'])

  await mkdir(join(folder, 'shop/api/v1'), { recursive: true })
  await writeFile(join(folder, 'shop/api/v1/views.py'), '1')
  expect(await next()).toContain('shop/api/v1/views.py')
  await writeFile(join(folder, 'shop/api/v1/views.py'), '333')
  expect(await next()).toEqual(['shop/api/v1/views.py'])

  await rm(join(folder, 'shop/api'), { recursive: true })
  expect(await next()).toContain('shop/api/v1/views.py')
})

test('it ends when it is told to, also where nothing was saved', async () => {
  const saved = await savedFiles(folder, [], over.signal)
  const last = saved.next()
  over.abort()
  expect(await last).toEqual({ done: true, value: undefined })
})
