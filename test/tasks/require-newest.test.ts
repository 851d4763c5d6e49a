import { describe, expect, it } from 'vitest'
import { parseState } from '../../recipes/state.js'
import { requireNewest } from '../../tasks/require-newest.js'
import { failureOf } from '../rig/failure.js'

const place = { name: 'shop', home: '/web/shop' }
const held = parseState(`current 20261128-101500 20261128-101500
release 20261128-110000
receipt {"by":"ann@laptop"}
release 20261128-101500 served
receipt {"by":"bob@desk"}`)
const nodes = [{ name: 'one' }, { name: 'two' }]
const states = new Map([
  ['one', parseState('')],
  ['two', held],
])
const ask = async (id: string) => requireNewest({ place, id }, nodes, states)

describe('a new release', () => {
  it('is newer than all on the nodes', async () => {
    await expect(ask('20261128-110001')).resolves.toBeUndefined()
  })

  it.each(['20261128-110000', '20261128-105959'])('is refused as %s where a node has one that is as new or newer', async (id) => {
    const { kind, said, next } = await failureOf(ask(id))
    expect([kind, said]).toEqual([
      'task',
      `two: ann@laptop has made release 20261128-110000 of shop, which is not older than this one would be (${id}): the clock there was ahead, or it was made while this one waited`,
    ])
    expect(next).toContain('/web/shop/releases/20261128-110000')
  })
})
