import { describe, expect, it } from 'vitest'
import { loadUserSettings } from '../../engine/config/user.js'
import { remember } from '../../engine/node/inventory.js'
import { openWorkspace } from '../../project/workspace.js'
import { failureOf, freshHome } from '../rig/home.js'

const home = freshHome()
const open = async () => openWorkspace(home.project, { services: ['files'], vaults: [] }, loadUserSettings({}))
const query = { destructive: false, task: 'x', connect: () => expect.fail('nothing connects') }
const node = 'one: { provider: static, address: 203.0.113.7, user: root, id: one, host_keys: [ssh-ed25519 AAAA] }\n'

describe('where kraftwerk.yaml is broken', () => {
  it.each(['workers: many\n', 'workers: [\n'])(
    '(%j) what needs no target works, and what needs one names the mistake',
    async (text) => {
      await home.write('calculator/kraftwerk.yaml', text)
      await home.write('calculator/nodes.yaml', node)
      const workspace = await open()
      expect(workspace.project).toEqual({ folder: home.project })
      expect((await workspace.inventory()).get('one')?.address).toBe('203.0.113.7')
      expect(await workspace.resolve({ ...query, word: undefined, needs: 'nothing' })).toEqual([
        { word: '', nodes: [], project: undefined },
      ])
      for (const needs of ['nodes', 'instance'] as const) {
        expect(await failureOf(workspace.resolve({ ...query, word: 'one', needs }))).toMatchObject({
          kind: 'setting',
          place: { file: `${home.project}/kraftwerk.yaml` },
        })
      }
    },
  )

  it('the nodes can be named all the same', async () => {
    await home.write('calculator/kraftwerk.yaml', 'workers: many\n')
    await home.write('calculator/nodes.yaml', node)
    expect(await (await open()).words()).toEqual([{ word: 'one', kind: 'node', help: '203.0.113.7' }])
  })
})

describe('where ~/.kraftwerk.yaml is broken', () => {
  it('what needs no settings works, and whoever asks for them gets the mistake', async () => {
    const file = await home.write('.kraftwerk.yaml', 'provider: [\n')
    await home.write('calculator/kraftwerk.yaml', 'wsgi: a.b:c\n')
    await home.write('calculator/nodes.yaml', node)
    const workspace = await open()
    expect(await workspace.words()).toContainEqual({ word: 'one', kind: 'node', help: '203.0.113.7' })
    expect(await workspace.resolve({ ...query, word: undefined, needs: 'nothing' })).toHaveLength(1)
    for (const asked of [async () => workspace.user(), () => workspace.resolve({ ...query, word: 'one', needs: 'nodes' })])
      expect(await failureOf(asked())).toMatchObject({ kind: 'setting', place: { file } })
  })
})

const one = { name: 'one', provider: 'static', address: '203.0.113.7', user: 'root', host_keys: [] }

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
