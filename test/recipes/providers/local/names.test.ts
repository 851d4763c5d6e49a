import { describe, expect, test } from 'vitest'
import { bridgeName, checkName, checkState, chooseOctet, nodeNames } from '../../../../recipes/providers/local/names.js'

const state = { root: '/var/lib/kraftwerk', subnet: '10.77.21' }

describe('the address of a new local node', () => {
  test('is the same each time for a name', () => {
    expect(chooseOctet('demo', new Set())).toBe(chooseOctet('demo', new Set()))
  })

  test('is another one where that is taken', () => {
    const first = chooseOctet('demo', new Set())
    expect(chooseOctet('demo', new Set([first ?? 0]))).not.toBe(first)
  })

  test('never is the network, this machine or the broadcast, down to the last free one', () => {
    const used = new Set<number>()
    for (let count = 2; count <= 254; count += 1) used.add(chooseOctet('demo', used) ?? 0)
    expect([...used].sort((a, b) => a - b)).toEqual(Array.from({ length: 253 }, (_, index) => index + 2))
    expect(chooseOctet('demo', used)).toBeUndefined()
  })
})

describe('the names of what a local node has', () => {
  test('tell nodes and states apart and fit the kernel', () => {
    const ids = [
      nodeNames(state, 'a', 2).id,
      nodeNames(state, 'a', 3).id,
      nodeNames({ ...state, subnet: '10.77.2' }, 'a', 2).id,
      nodeNames({ ...state, subnet: '192.168.254' }, 'a', 254).id,
      bridgeName(state),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(15)
  })

  test('are spelt from the address', () => {
    expect(nodeNames(state, 'demo', 9)).toEqual({
      name: 'demo',
      octet: 9,
      address: '10.77.21.9',
      id: 'kraft-0a4d1509',
      mac: '02:6b:0a:4d:15:09',
      folder: '/var/lib/kraftwerk/nodes/demo',
      run: '/var/lib/kraftwerk/run/demo',
    })
  })

  test.each(['', '-a', 'a-', 'Demo', 'a.b', 'a/b', '../a', 'a b', 'a'.repeat(64)])('refuse the node name %j', (name) => {
    expect(() => checkName(name)).toThrow("can't be the name of a local node")
  })

  test.each(['a', 'one', 'calculator-stage', '9lives', 'a'.repeat(63)])('allow the node name %j', (name) => {
    expect(() => checkName(name)).not.toThrow()
  })
})

describe('the settings of a state', () => {
  test.each(['relative', '/', '/a b', '/a,b', '/a:b', '/a/../b', '/a/'])('refuse the folder %j', (root) => {
    expect(() => checkState({ ...state, root })).toThrow('KRAFT_LOCAL_STATE')
  })

  test.each(['10.77', '10.77.0.0', '10.77.256', '8.8.8', '172.32.0', 'a.b.c'])('refuse the subnet %j', (subnet) => {
    expect(() => checkState({ ...state, subnet })).toThrow('KRAFT_LOCAL_SUBNET')
  })

  test.each(['10.0.0', '192.168.7', '172.31.255'])('allow the subnet %j', (subnet) => {
    expect(checkState({ ...state, subnet })).toEqual({ ...state, subnet })
  })
})
