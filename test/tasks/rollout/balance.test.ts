import { expect, it } from 'vitest'
import type { NodeRecord } from '../../../engine/node/record.js'
import { instanceOf } from '../../../project/instance.js'
import { loadProject } from '../../../project/settings.js'
import { type Backend, balancer } from '../../../recipes/balancer.js'
import { balancingOf, trusted } from '../../../tasks/rollout/balance.js'
import { failureOf, freshHome } from '../../rig/home.js'

const home = freshHome()
const records = ['a', 'b', 'front'].map(
  (name, index): NodeRecord => ({ name, provider: 'static', address: `192.0.2.${index + 1}`, user: 'root', host_keys: [] }),
)

async function balancing(nodes: string, more = 'domain: www.example.com\n') {
  await home.write('calculator/kraftwerk.yaml', `${more}environments: { live: { nodes: ${nodes} } }\n`)
  const project = await loadProject(home.project, { services: [], vaults: [] })
  if (project === undefined) throw new Error('The project is there')
  const inventory = { get: (name: string) => records.find((each) => each.name === name), all: () => records }
  const connect = (record: NodeRecord) => ({ name: record.name, record })
  return balancingOf(instanceOf(project, 'live'), { inventory: async () => inventory, connect } as never)
}
const wrong = (...given: Parameters<typeof balancing>) => failureOf(balancing(...given))

it('is before the web nodes of its environment, and trusted by its address', async () => {
  const found = await balancing('{ web: [a, b], balancer: [front] }')
  expect(found?.balancers.map(({ name }) => name)).toEqual(['front'])
  expect(found?.backends).toEqual([
    { name: 'a', address: '192.0.2.1' },
    { name: 'b', address: '192.0.2.2' },
  ])
  expect(trusted(found)).toEqual(['192.0.2.3'])
})

it('is nobody where none is named', async () => {
  expect(await balancing('[a, b]')).toBeUndefined()
  expect(await balancing('{ web: [a, b], db: [front] }')).toBeUndefined()
  expect(trusted(undefined)).toEqual([])
})

it('wants a node of its own, web nodes and a domain, and says where', async () => {
  const place = { line: 2 }
  expect(await wrong('{ web: [a, b], balancer: [a] }')).toMatchObject({
    kind: 'setting',
    place,
    next: expect.stringContaining('own'),
  })
  expect(await wrong('{ worker: [a], balancer: [front] }')).toMatchObject({ message: expect.stringContaining('needs web nodes') })
  expect(await wrong('{ web: [a], balancer: [front] }', '')).toMatchObject({ next: expect.stringContaining('domain: www') })
  expect(await wrong('{ web: [a, stranger], balancer: [front] }')).toMatchObject({ next: 'Make it: kraft provision stranger' })
})

it('has a pool without each web node, which is asked only if nobody else is left, and none for a single one', () => {
  const place = { name: 'shop', home: '/web/shop' }
  const text = (backends: readonly Backend[]) => {
    const given = { domain: 'www.example.com', aliases: [], backends, maxBody: 1, timeout: 30, ipv6: true, https: undefined }
    return String(balancer(place, given).at(-1)?.files?.content)
  }
  const two = text([
    { name: 'a', address: '192.0.2.1' },
    { name: 'b', address: '2001:db8::2' },
  ])
  expect(two).toContain('upstream shop-without-a {')
  expect(two).toContain(
    '  server 192.0.2.1:80 max_fails=2 fail_timeout=10s backup;\n  # b\n  server [2001:db8::2]:80 max_fails=2 fail_timeout=10s;',
  )
  expect(two).toContain('if (-e /run/web/.out/shop/b)')
  const one = text([{ name: 'a', address: '192.0.2.1' }])
  expect(one).not.toMatch(/without|backup|-e /)
})
