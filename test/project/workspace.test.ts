import { expect, it } from 'vitest'
import { loadUserSettings } from '../../engine/config/user.js'
import { remember } from '../../engine/node/inventory.js'
import { openWorkspace } from '../../project/workspace.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const one = { name: 'one', provider: 'static', address: '203.0.113.7', user: 'root', host_keys: [] }

const known = { services: [], section: () => Promise.reject(new Error('There are no services')) }
const open = async () => openWorkspace(home.home, known, await loadUserSettings({}))

it('the nodes are read once for all who ask at the same moment', async () => {
  await remember(one)
  const workspace = await open()
  const [first, second] = await Promise.all([workspace.inventory(), workspace.inventory()])
  expect(second).toBe(first)
  expect(first.get('one')).toEqual(one)
})

it('the nodes are read anew later, when there may be more', async () => {
  const workspace = await open()
  expect((await workspace.inventory()).all()).toEqual([])
  await remember(one)
  expect((await workspace.inventory()).all()).toEqual([one])
})
