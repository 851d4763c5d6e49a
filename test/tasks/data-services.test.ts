import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../../recipes/kinds.js'
import { dataServices } from '../../tasks/data-services.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-order-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('databases are dumped before the files that their rows name, in whatever order the settings have them', async () => {
  await writeFile(join(folder, 'kraftwerk.yaml'), 'name: shop\nwsgi: shop:app\nservices: [files, redis, postgres]\n')
  const project = await loadProject(folder, knownKinds())
  if (project === undefined) throw new Error('no project')
  const order = async (only: readonly string[]) =>
    (await dataServices(instanceOf(project, undefined), only)).map(({ service }) => service.name)
  expect(await order([])).toEqual(['redis', 'postgres', 'files'])
  expect(await order(['files', 'postgres'])).toEqual(['postgres', 'files'])
})
