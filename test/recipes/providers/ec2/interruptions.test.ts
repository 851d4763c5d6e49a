import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { provider } from '../../../../recipes/providers/ec2.js'
import { image, nothing, startAccount } from '../../../rig/ec2-account.js'
import type { When } from '../../../rig/ec2-proxy.js'
import { kraftErrorOf } from '../../../rig/failure.js'

// Every call that kraft makes of EC2 is a case: what a node that has all that can be made for one asks for is recorded first.
const account = await startAccount([image('ami-0deb12000000000a1', 'debian-12-amd64-20260301-1')])
const { proxy } = account
const wanted = () => account.request({ settings: account.settings({ elastic_ip: true }) })
const destroy = (record: Awaited<ReturnType<typeof provider.create>>) =>
  provider.destroy(record, account.settings(), () => undefined)

await account.reset()
const recorded = await provider.create(wanted())
const making = [...proxy.calls]
proxy.clear()
await destroy(recorded)
const ending = [...proxy.calls]

beforeEach(() => account.reset())
afterAll(() => account.stop())

interface Moment {
  readonly at: number
  readonly action: string
  readonly when: When
}

// A question that is asked changes nothing: before and after it all is the same.
const moments = (calls: readonly string[]): Moment[] =>
  calls.flatMap((action, at) =>
    (action.startsWith('Describe') ? (['before'] as const) : (['before', 'after'] as const)).map((when) => ({
      at,
      action,
      when,
    })),
  )

test('a node takes the calls that this file is about, and leaves nothing', async () => {
  expect(new Set(making.filter((action) => !action.startsWith('Describe')))).toEqual(
    new Set([
      'ImportKeyPair',
      'CreateSecurityGroup',
      'AuthorizeSecurityGroupIngress',
      'RunInstances',
      'AllocateAddress',
      'AssociateAddress',
      'CreateTags',
    ]),
  )
  expect(new Set(ending.filter((action) => !action.startsWith('Describe')))).toEqual(
    new Set(['TerminateInstances', 'DeleteKeyPair', 'ReleaseAddress', 'DeleteSecurityGroup']),
  )
})

describe('create leaves nothing where it fails', () => {
  test.each(moments(making))('$when call $at, $action', async ({ at, when }) => {
    proxy.refuse(at, when)
    expect((await kraftErrorOf(provider.create(wanted()))).message).toContain('refused by the test')
    expect(await account.holdings()).toEqual(nothing)
  })
})

// What a kraft leaves that is killed after one call is what it leaves before the next.
const kills = (calls: readonly string[]): Moment[] => [
  ...calls.map((action, at) => ({ at, action, when: 'before' as const })),
  { at: calls.length - 1, action: calls.at(-1) ?? '', when: 'after' },
]

describe('create goes on, and makes no second node, where it was killed', () => {
  test.each(kills(making))('$when call $at, $action', async ({ at, when }) => {
    proxy.kill(at, when)
    await kraftErrorOf(provider.create(wanted()))
    proxy.clear()
    const record = await provider.create(wanted())
    const { instances, groups, keys, addresses } = await account.holdings()
    expect([instances, groups, keys, addresses].map(({ length }) => length)).toEqual([1, 1, 1, 1])
    expect(instances[0]?.InstanceId).toBe(record.id)
    expect(record.made).toMatchObject({
      group: groups[0]?.GroupId,
      key: keys[0]?.KeyName,
      address: addresses[0]?.AllocationId,
    })
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)
  })
})

describe('destroy goes on where it was killed', () => {
  test.each(kills(ending))('$when call $at, $action', async ({ at, when }) => {
    const record = await provider.create(wanted())
    proxy.clear()
    proxy.kill(at, when)
    await kraftErrorOf(destroy(record))
    proxy.clear()
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)
  })
})
