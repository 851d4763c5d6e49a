import { describe, expect, it } from 'vitest'
import { parseState } from '../../../recipes/state.js'
import { newGeneration, newRelease } from '../../../tasks/rollout/names.js'
import { failureOf } from '../../rig/failure.js'

const place = { name: 'shop', home: '/web/shop' }
const held = parseState(`current 20261128-101500 20261128-110100
release 20261128-110000
receipt {"by":"ann@laptop"}
release 20261128-101500 served
receipt {"by":"bob@desk"}`)
const locked = {
  nodes: [{ name: 'one' }, { name: 'two' }],
  states: new Map([
    ['one', parseState('')],
    ['two', held],
  ]),
}
const at = (time: string) => new Date(`2026-11-28T${time}Z`)
const release = (began: string, now = began) => newRelease(place, locked, at(began), at(now))

describe('a new release', () => {
  it('is called by the time at which its deploy began', () => {
    expect(release('11:01:01')).toBe('20261128-110101')
    expect(newRelease(place, { ...locked, states: new Map() }, at('09:00:00.999'))).toBe('20261128-090000')
  })

  it('gets the next name where one is there of that second or of a later one, and where processes are called so', () => {
    expect(['11:01:00', '10:59:59', '10:52:00'].map((began) => release(began))).toEqual(Array(3).fill('20261128-110101'))
    // Its deploy waited for the one that made the other.
    expect(release('02:00:00', '11:02:00')).toBe('20261128-110101')
  })

  it('is refused where one is there from a time that is yet to come', async () => {
    const { kind, said, next } = await failureOf(Promise.resolve().then(() => release('10:30:00')))
    expect([kind, said]).toEqual([
      'task',
      'two: ann@laptop has made release 20261128-110000 of shop, which is not older than this one would be (20261128-103000): the clock there was ahead',
    ])
    expect(next).toContain('/web/shop/releases/20261128-110000')
  })

  it('takes no folder of somebody for one', () => {
    const kept = parseState('release kept\nreceipt {}\nrelease 99999999-999999\nreceipt {}')
    expect(newRelease(place, { ...locked, states: new Map([['one', kept]]) }, at('11:00:00'))).toBe('20261128-110000')
  })
})

it('new processes of a release are never called as those that serve, or were about to', () => {
  expect(newGeneration(locked, at('11:01:00'))).toBe('20261128-110101')
  expect(newGeneration(locked, at('11:05:00'))).toBe('20261128-110500')
  const interrupted = parseState(
    'current 20261128-101500 20261128-101500\nrollout 20261128-101500 20261128-110700 20261128-101500',
  )
  expect(newGeneration({ ...locked, states: new Map([['one', interrupted]]) }, at('11:07:00'))).toBe('20261128-110701')
})
