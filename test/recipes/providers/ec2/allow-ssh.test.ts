import { AuthorizeSecurityGroupIngressCommand } from '@aws-sdk/client-ec2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { CreateRequest } from '../../../../engine/node/provider.js'
import { ownerOf } from '../../../../recipes/providers/cloud/owner.js'
import { provider } from '../../../../recipes/providers/ec2.js'
import { type AddressService, startAddressService } from '../../../rig/address-service.js'
import { image, nothing, startAccount } from '../../../rig/ec2-account.js'
import { kraftErrorOf } from '../../../rig/failure.js'

const account = await startAccount([image('ami-0deb12000000000a1', 'debian-12-amd64-20260301-1')])
const { ec2, otherKey } = account
const service: AddressService = await startAddressService()

beforeEach(async () => {
  await account.reset()
  service.says = '203.0.113.7\n'
})
afterAll(async () => {
  await service.stop()
  await account.stop()
})

const lines: string[] = []
const create = (change: Readonly<Record<string, unknown>> = {}, more: Partial<CreateRequest> = {}) => {
  lines.length = 0
  const settings = account.settings({ allow_ssh: 'mine', address_service: service.url, ...change })
  return provider.create(account.request({ settings, progress: (line) => lines.push(line), ...more }))
}
/** Who may reach ssh, and whose rule it is. */
const open = async () => {
  const [group] = (await account.holdings()).groups
  const rules = group?.IpPermissions?.filter(({ FromPort }) => FromPort === account.port) ?? []
  return rules.flatMap(({ IpRanges = [], Ipv6Ranges = [] }) => [
    ...IpRanges.map(({ CidrIp, Description }) => [CidrIp, Description]),
    ...Ipv6Ranges.map(({ CidrIpv6, Description }) => [CidrIpv6, Description]),
  ])
}
const mark = (publicKey: string) => `kraftwerk ${ownerOf(publicKey)}`
const own = mark(account.request().publicKey)

describe('allow_ssh: mine', () => {
  test('opens ssh to the address that this machine comes from, and says in nodes.yaml that it is so', async () => {
    const record = await create()
    expect(await open()).toEqual([['203.0.113.7/32', own]])
    expect(record.made?.allow_ssh).toBe('mine')
    // 80 and 443 stay open to everybody.
    const [group] = (await account.holdings()).groups
    const web = group?.IpPermissions?.filter(({ FromPort }) => FromPort !== account.port)
    expect(web?.map(({ FromPort, IpRanges }) => [FromPort, IpRanges?.map(({ CidrIp }) => CidrIp)])).toEqual([
      [80, ['0.0.0.0/0']],
      [443, ['0.0.0.0/0']],
    ])
  })

  test('provision again lets the new address in and the former one no more, as often as it is called', async () => {
    const record = await create()
    service.says = '198.51.100.9'
    for (const said of [['Letting 198.51.100.9/32 in', 'No longer letting 203.0.113.7/32 in'], []]) {
      expect(await create({}, { known: record })).toEqual(record)
      expect(lines.filter((line) => /letting/i.test(line))).toEqual(said)
      expect(await open()).toEqual([['198.51.100.9/32', own]])
    }
    // The group says it: whoever has set nothing is let in as well.
    service.says = '198.51.100.10'
    expect(await create({ allow_ssh: undefined }, { known: record })).toEqual(record)
    expect(await open()).toEqual([['198.51.100.10/32', own]])
    // So is a range that was set since.
    await create({ allow_ssh: '192.0.2.0/24' }, { known: record })
    expect(await open()).toEqual([['192.0.2.0/24', own]])
  })

  test('a run that was cut off after the new address was let in takes the former one away the next time', async () => {
    const record = await create()
    service.says = '198.51.100.9'
    account.proxy.fail('RevokeSecurityGroupIngress', { code: 'UnauthorizedOperation', message: 'No.' })
    expect((await kraftErrorOf(create({}, { known: record }))).message).toMatch(/^Your AWS account may not do this/)
    expect((await open()).map(([range]) => range)).toEqual(['203.0.113.7/32', '198.51.100.9/32'])
    await create({}, { known: record })
    expect((await open()).map(([range]) => range)).toEqual(['198.51.100.9/32'])
  })

  test('a teammate is let in beside, into the node that is remembered, and takes nobody else out', async () => {
    const record = await create()
    service.says = '198.51.100.9'
    const theirs = await create({ allow_ssh: undefined, location_id: 'us-east-1' }, { known: record, publicKey: otherKey })
    expect(theirs).toEqual(record)
    expect((await account.holdings()).instances).toHaveLength(1)
    expect(await open()).toEqual([
      ['203.0.113.7/32', own],
      ['198.51.100.9/32', mark(otherKey)],
    ])
    // Both at once from behind one address.
    account.proxy.fail('AuthorizeSecurityGroupIngress', { code: 'InvalidPermission.Duplicate', message: 'already exists' })
    account.proxy.fail('RevokeSecurityGroupIngress', { code: 'InvalidPermission.NotFound', message: 'does not exist' })
    service.says = '198.51.100.10'
    expect(await create({}, { known: record })).toEqual(record)
  })

  test('closes a node that was open to everybody, and leaves ranges that somebody added', async () => {
    const record = await create({ allow_ssh: undefined })
    expect(record.made?.allow_ssh).toBeUndefined()
    expect(await open()).toEqual([['0.0.0.0/0', undefined]])
    // Without being asked nothing changes, and no address is asked for.
    service.says = undefined
    expect(await create({ allow_ssh: undefined }, { known: record })).toEqual(record)
    service.says = '203.0.113.7'
    const office = { IpProtocol: 'tcp', FromPort: account.port, ToPort: account.port }
    const group = record.made?.group
    await ec2.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId: group,
        IpPermissions: [{ ...office, IpRanges: [{ CidrIp: '192.0.2.0/24' }], Ipv6Ranges: [{ CidrIpv6: '::/0' }] }],
      }),
    )
    const closed = await create({}, { known: record })
    expect(closed.made?.allow_ssh).toBe('mine')
    expect(lines).toContain('No longer letting everybody in')
    expect(await open()).toEqual([
      ['192.0.2.0/24', undefined],
      ['203.0.113.7/32', own],
    ])
  })

  test('where nobody says the address nothing is made, and the error says what to set', async () => {
    service.says = '<html>Please log in</html>'
    const error = await kraftErrorOf(create())
    expect(error.failure).toMatchObject({
      kind: 'task',
      message: `allow_ssh is mine, and the address that you come from is not known: ${service.url} answered with no IPv4 address: "<html>Please log in</html>"`,
      next: expect.stringContaining('--set allow_ssh=203.0.113.7/32'),
    })
    expect(await account.holdings()).toEqual(nothing)
  })
})
