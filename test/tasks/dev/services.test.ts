import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Instance } from '../../../project/instance.js'
import { loadProject } from '../../../project/settings.js'
import { usedServices } from '../../../recipes/application.js'
import { knownKinds } from '../../../recipes/kinds.js'
import type { Said } from '../../../tasks/dev/environ.js'
import { chooseEnvironment } from '../../../tasks/dev/environment.js'
import { findSource } from '../../../tasks/dev/services.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-sources-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function chosen(yaml: string, word = ''): Promise<Instance> {
  await writeFile(join(folder, 'kraftwerk.yaml'), `name: kraft-nobody\nwsgi: shop:app\n${yaml}`)
  const project = await loadProject(folder, knownKinds())
  if (project === undefined) throw new Error('no project')
  return chooseEnvironment(project, word)
}

async function sources(instance: Instance, said: Partial<Said>) {
  const around = {
    instance,
    said: { shell: {}, dotenv: {}, settings: {}, ...said },
    node: undefined,
    developer: { folder: '/home/ada/shop/.local', name: 'kraft-nobody', user: 'ada' },
    dryRun: false,
    note: (text: string) => {
      throw new Error(text)
    },
  }
  const found = await Promise.all((await usedServices(instance)).map((used) => findSource(used, around)))
  return Object.fromEntries(found.map(({ service, said: words, values }) => [service, { words, values }]))
}

test('the environment that is not live is meant, one that is named, or the project without any', async () => {
  const both = 'environments: { live: { live: true, name: a }, stage: { name: b }, test: { name: c } }'
  expect((await chosen(both)).environment).toBe('stage')
  expect((await chosen(both, 'live')).environment).toBe('live')
  expect((await chosen('environments: { live: { live: true } }')).environment).toBeUndefined()
  await expect(chosen(both, 'tset')).rejects.toMatchObject({ failure: { kind: 'usage', next: 'It has live, stage, test' } })
})

test('what a developer has said of a service wins: of the shell only its address, of .env and kraftwerk.yaml any part', async () => {
  const instance = await chosen('services: [postgres, redis]')
  const { postgres, redis } = await sources(instance, {
    shell: { DATABASE_URL: 'x', REDIS_SOCKET: 'x' },
    dotenv: { REDIS_URL: 'y' },
  })
  expect([postgres, redis]).toEqual([
    { words: 'DATABASE_URL of your shell', values: {} },
    { words: 'REDIS_URL of .env', values: {} },
  ])
  expect((await sources(instance, { settings: { PGHOST: 'db', REDIS_URL: 'y' } })).postgres?.words).toBe(
    'PGHOST of kraftwerk.yaml',
  )
})

test('data that are files lie in a folder of the project, and a database that is nowhere leaves its variables out', async () => {
  const { files, sqlite } = await sources(await chosen('services: [sqlite, files]'), {})
  expect(files).toEqual({
    words: '.local/uploads',
    values: { UPLOADS_PATH: '/home/ada/shop/.local/uploads', UPLOADS_URL: '/uploads/' },
  })
  expect(sqlite?.values.DATABASE_URL).toBe('sqlite:////home/ada/shop/.local/db.sqlite3')
  const { postgres } = await sources(await chosen('services: [postgres]'), {
    shell: { PATH: process.env.PATH, PGUSER: 'nobody' },
  })
  expect(postgres).toEqual({ words: "none here; without DATABASE_URL the project's own settings decide", values: {} })
})
