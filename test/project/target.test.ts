import { describe, expect, it } from 'vitest'
import type { Query } from '../../engine/cli/app.js'
import type { Inventory } from '../../engine/node/inventory.js'
import { createNode } from '../../engine/node/node.js'
import type { NodeRecord } from '../../engine/node/record.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { loadProject } from '../../project/settings.js'
import { resolveTargets } from '../../project/target.js'
import { failureOf } from '../rig/failure.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()

const records = ['a', 'b', 'c', 'one', 'stray'].map(
  (name): NodeRecord => ({ name, provider: 'static', address: '192.0.2.1', user: 'root', host_keys: [] }),
)
const inventoryOf = (known: readonly NodeRecord[]): Inventory => ({
  get: (name) => known.find((each) => each.name === name),
  all: () => known,
})
const unused = () => Promise.reject(new Error('Finding a target connects to nobody'))
const connection: Connection = { node: '', user: 'root', exec: unused, capture: unused, forward: unused, close: unused }

interface Asked {
  readonly needs?: Query['needs']
  readonly destructive?: boolean
  readonly defaultNode?: string
  readonly nodes?: readonly NodeRecord[]
}

/** What a word means: per target its word, its environment and its nodes with their roles. */
async function targets(yaml: string | undefined, word: string | undefined, asked: Asked = {}) {
  if (yaml !== undefined) await home.write('calculator/kraftwerk.yaml', yaml)
  const project = await loadProject(home.project, { services: [], vaults: [] })
  const query: Query = {
    word,
    needs: asked.needs,
    destructive: asked.destructive ?? false,
    task: 'deploy',
    connect: (record, roles) => createNode(record, roles, connection, 'apply', () => undefined),
  }
  const known = { project, inventory: inventoryOf(asked.nodes ?? records), defaultNode: asked.defaultNode }
  return resolveTargets(query, known).map((target) => ({
    word: target.word,
    name: target.project?.name,
    environment: target.project?.environment,
    nodes: target.nodes.map(({ name, roles }) => (roles === 'every' ? name : `${name}=${roles.join('+')}`)),
  }))
}
const wrong = (...given: Parameters<typeof targets>) => failureOf(targets(...given))

const two = `environments:
  stage: { name: calculator-stage, nodes: [one] }
  live: { nodes: { web: [a, b], db: [b, c] } }
`
const single = 'environments: { stage: { nodes: [one] } }\n'

describe('a word behind the colon', () => {
  it('is an environment first, with its nodes and their roles', async () => {
    expect(await targets(two, 'live')).toEqual([
      { word: 'live', name: 'calculator', environment: 'live', nodes: ['a=web', 'b=web+db', 'c=db'] },
    ])
    expect(await targets(two, 'stage')).toEqual([
      { word: 'stage', name: 'calculator-stage', environment: 'stage', nodes: ['one'] },
    ])
  })

  it('is an environment even where a node has its name', async () => {
    expect(await targets('environments: { one: { nodes: [a] } }', 'one')).toMatchObject([{ environment: 'one', nodes: ['a'] }])
  })

  it('is else a node, which means the one environment that holds it, with its roles there', async () => {
    expect(await targets(two, 'one')).toMatchObject([{ word: 'one', environment: 'stage', nodes: ['one'] }])
    expect(await targets(two, 'b')).toMatchObject([{ word: 'b', environment: 'live', nodes: ['b=web+db'] }])
  })

  it('is else a node with the project without overrides', async () => {
    expect(await targets(two, 'stray')).toEqual([{ word: 'stray', name: 'calculator', environment: undefined, nodes: ['stray'] }])
  })

  it('that is a node of several environments is refused, naming them', async () => {
    const shared = 'environments: { stage: { name: s, nodes: [one] }, live: { nodes: [one] } }'
    expect(await wrong(shared, 'one')).toMatchObject({
      kind: 'usage',
      said: 'The node one is in several environments: stage, live',
    })
    expect(await targets(shared, 'one', { needs: 'nodes' })).toMatchObject([{ nodes: ['one'], name: undefined }])
  })

  it('that is nothing brings up the nearest, and what there is', async () => {
    expect(await wrong(two, 'stagee')).toMatchObject({
      kind: 'usage',
      said: 'There is no environment or node "stagee". Did you mean "stage"?',
      next: expect.stringContaining('stage, live, a, b, c, one, stray'),
    })
    expect((await wrong(undefined, 'twoo', { needs: 'nodes', nodes: [] })).next).toContain('kraft provision twoo')
    expect((await wrong(two, 'constructor')).said).toContain('There is no environment or node "constructor"')
  })

  it('outside of a project is a node', async () => {
    expect(await targets(undefined, 'a')).toEqual([{ word: 'a', name: undefined, environment: undefined, nodes: ['a'] }])
  })
})

describe('an environment', () => {
  it('whose node is not known says where it is named, and how to make it', async () => {
    const told = await wrong('environments:\n  live:\n    nodes: [a, onee]\n', 'live')
    expect(told).toMatchObject({ kind: 'setting', next: expect.stringContaining('kraft provision onee') })
    expect(told.said).toMatch(/kraftwerk\.yaml:3:\d+: The node onee is not known\. Did you mean "one"\?/)
  })

  it('without nodes says so', async () => {
    expect(await wrong('environments:\n  live:\n    workers: 3\n', 'live')).toMatchObject({
      kind: 'setting',
      said: expect.stringMatching(/kraftwerk\.yaml:2:3: The environment live has no nodes/),
    })
  })

  it('is its nodes alone for tasks of nodes', async () => {
    expect(await targets(two, 'live', { needs: 'nodes' })).toMatchObject([
      { name: undefined, nodes: ['a=web', 'b=web+db', 'c=db'] },
    ])
  })
})

describe('no word', () => {
  it('means the only environment', async () => {
    expect(await targets(single, undefined)).toMatchObject([{ word: 'stage', environment: 'stage' }])
    expect(await targets(single, undefined, { defaultNode: 'a' })).toMatchObject([{ word: 'stage' }])
  })

  it('means else the default node', async () => {
    expect(await targets(two, undefined, { defaultNode: 'one' })).toMatchObject([{ word: 'one', environment: 'stage' }])
    expect(await targets('', undefined, { defaultNode: 'a' })).toMatchObject([{ word: 'a', nodes: ['a'] }])
  })

  it('never means anything for a task that loses data', async () => {
    expect(await wrong(single, undefined, { destructive: true, defaultNode: 'one' })).toMatchObject({
      kind: 'usage',
      said: expect.stringContaining('deploy can lose data'),
      next: expect.stringContaining('kraft deploy:stage'),
    })
  })

  it('is else a question', async () => {
    expect(await wrong(two, undefined)).toMatchObject({
      said: 'deploy needs a target',
      next: expect.stringContaining('kraft deploy:stage'),
    })
    expect(await wrong('', undefined, { nodes: [] })).toMatchObject({ next: expect.stringContaining('kraft provision') })
  })

  it('is right for a task that needs nothing', async () => {
    expect(await targets(two, undefined, { needs: 'nothing', destructive: true })).toEqual([
      { word: '', nodes: [], name: undefined, environment: undefined },
    ])
  })
})

describe('all', () => {
  it('means every environment of the project that has nodes', async () => {
    expect(await targets(`${two}  idle:\n`, 'all')).toMatchObject([
      { word: 'stage', nodes: ['one'] },
      { word: 'live', nodes: ['a=web', 'b=web+db', 'c=db'] },
    ])
  })

  it('means for tasks of nodes every node of the project once, and no other', async () => {
    const shared = `${two}  more: { name: more, nodes: [a, one] }\n`
    expect((await targets(shared, 'all', { needs: 'nodes' })).map(({ nodes }) => nodes)).toEqual([['one'], ['a'], ['b'], ['c']])
  })

  it('means outside of a project every remembered node', async () => {
    expect((await targets(undefined, 'all')).map(({ word }) => word)).toEqual(['a', 'b', 'c', 'one', 'stray'])
    expect(await wrong(undefined, 'all', { nodes: [] })).toMatchObject({ said: 'There is no node yet' })
  })

  it('of a project without environments is nothing', async () => {
    expect(await wrong('', 'all')).toMatchObject({ kind: 'usage', said: 'calculator has no environment with nodes' })
  })
})

it('a task for an instance needs a project', async () => {
  expect(await wrong(undefined, 'a', { needs: 'instance' })).toMatchObject({
    kind: 'usage',
    said: 'deploy needs a project, and there is no kraftwerk.yaml here or in a folder above',
    next: expect.stringContaining('kraft init NAME'),
  })
})
