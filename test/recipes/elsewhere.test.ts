import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { readApplication, refuseSplitData } from '../../recipes/application.js'
import { servingNode } from '../../recipes/elsewhere.js'
import { kindNames, loadKind } from '../../recipes/kinds.js'
import { failureOf } from '../rig/failure.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()
const known = {
  services: kindNames('services'),
  vaults: kindNames('vaults'),
  section: async (name: string) => (await loadKind('services', name)).section,
  reference: async (vault: string, reference: string) => (await loadKind('vaults', vault)).problem?.(reference),
}

async function read(services: string, nodes: string) {
  await home.write(
    'calculator/kraftwerk.yaml',
    `wsgi: calculator.wsgi:application\nservices: ${services}\nenvironments: { live: { nodes: ${nodes} } }\n`,
  )
  const project = await loadProject(home.project, known)
  if (project === undefined) throw new TypeError('There should be a project')
  return instanceOf(project, 'live')
}
const placesOf = async (services: string, nodes: string) =>
  (await readApplication(await read(services, nodes))).services.map(({ service, where }) => `${service.name}: ${where ?? 'here'}`)

it.each([
  ['[a]', undefined],
  ['[a, b]', undefined],
  ['{ web: [a] }', undefined],
  ['{ web: [a], db: [a] }', undefined],
  ['{ web: [a], db: [c] }', 'c'],
  ['{ web: [a, b], db: [a] }', 'a'],
  ['{ web: [a], worker: [c], db: [c] }', 'c'],
])('with nodes %s the one that has the data of others is %s', async (nodes, name) => {
  expect(servingNode(await read('[postgres]', nodes))?.name).toBe(name)
})

it('data lives on one node', async () => {
  const error = await failureOf(read('[postgres]', '{ web: [a], db: [b, c] }').then(servingNode))
  expect(error).toMatchObject({ kind: 'setting', said: expect.stringContaining('The role db has several nodes: b, c') })
})

it('a service is where its address, the role db or nothing says', async () => {
  const url = '{ postgres: { url: postgresql://a:pass-word@h/d } }'
  expect(await placesOf('[postgres, redis, sqlite]', '{ web: [a, b], db: [c] }')).toEqual([
    'postgres: c',
    'redis: c',
    'sqlite: here',
  ])
  expect(await placesOf(`[${url}]`, '{ web: [a], db: [c] }')).toEqual(['postgres: url'])
  expect(await placesOf('[postgres]', '[a]')).toEqual(['postgres: here'])
})

describe('several web nodes', () => {
  const refusal = async (services: string, nodes: string) => {
    const application = await readApplication(await read(services, nodes))
    return failureOf(Promise.resolve().then(() => refuseSplitData(application, 2)))
  }
  it('can have a database that is elsewhere', async () => {
    const application = await readApplication(await read('[postgres]', '{ web: [a, b], db: [c] }'))
    expect(() => refuseSplitData(application, 2)).not.toThrow()
  })
  it('are refused what each would have for itself, with the way that there is', async () => {
    expect(await refusal('[postgres]', '[a, b]')).toMatchObject({ next: expect.stringContaining('db: [c]') })
    expect(await refusal('[postgres, files]', '{ web: [a, b], db: [c] }')).toMatchObject({
      said: expect.stringContaining('files would be separate on each of the 2 nodes'),
      next: expect.stringContaining('leave the service out'),
    })
  })
})

it.each([
  ['postgresql://host/shop-with-a-pass-word', 'should be an address with its user'],
  ['{ op: no-reference }', 'should be op://'],
  ['{ nowhere: x }', ''],
])('the address %s is refused, and not repeated', async (url, said) => {
  await home.write('calculator/kraftwerk.yaml', `wsgi: a.b:c\nservices: [{ postgres: { url: ${url} } }]\n`)
  const { message } = await settingError(loadProject(home.project, known))
  expect(message).toContain(said)
  expect(message).not.toContain('pass-word')
})
