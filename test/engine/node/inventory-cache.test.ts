import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { loadInventory, remember } from '../../../engine/node/inventory.js'
import { failureOf, freshHome } from '../../rig/home.js'

const home = freshHome()
const record = { name: 'one', provider: 'static', address: '203.0.113.7', user: 'root', host_keys: [] }
let folder: string

beforeEach(async () => {
  await remember(record)
  await loadInventory()
  folder = join(home.home, '.kraftwerk', 'cache')
})

async function spoil(): Promise<void> {
  const [name = ''] = await readdir(folder)
  const text = await readFile(join(folder, name), 'utf8')
  await writeFile(join(folder, name), text.replace('203.0.113.7', '203.0.113.8'))
}

const address = async () => (await loadInventory()).get('one')?.address

it('what was read once is not parsed again', async () => {
  // Only a cache that is used gives what was changed in it.
  await spoil()
  expect(await address()).toBe('203.0.113.8')
})

it('a file that changed is read anew, by however little', async () => {
  await spoil()
  const file = join(home.home, '.kraftwerk', 'nodes.yaml')
  await writeFile(file, `${await readFile(file, 'utf8')}\n`)
  expect(await address()).toBe('203.0.113.7')
})

it.each(['folder', 'file'])('a cache whose %s others can write is not believed', async (which) => {
  await spoil()
  const [name = ''] = await readdir(folder)
  await chmod(which === 'folder' ? folder : join(folder, name), 0o777)
  expect(await address()).toBe('203.0.113.7')
})

it('a damaged cache, or none that can be made, is no obstacle', async () => {
  const [name = ''] = await readdir(folder)
  await writeFile(join(folder, name), '{')
  expect(await address()).toBe('203.0.113.7')
})

it('a mistake is told each time, with its place', async () => {
  const file = join(home.home, '.kraftwerk', 'nodes.yaml')
  await writeFile(file, 'one:\n  provider: static\n')
  for (let turn = 0; turn < 2; turn++)
    expect(await failureOf(loadInventory())).toMatchObject({ kind: 'setting', place: { file } })
})
