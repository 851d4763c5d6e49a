import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { reveal, secret } from '../../../../engine/shell/secret.js'
import { explain } from '../../../../recipes/providers/ec2/failures.js'
import { launchInput } from '../../../../recipes/providers/ec2/instance.js'
import { settingsOf } from '../../../../recipes/providers/ec2/settings.js'
import { provider } from '../../../../recipes/providers/ec2.js'
import { image, nothing, owners, startAccount } from '../../../rig/ec2-account.js'
import { kraftErrorOf } from '../../../rig/failure.js'

const noble = 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-'
const many = Array.from({ length: 620 }, (_, nth) => {
  const id = `ami-0deb13${nth.toString(16).padStart(11, '0')}`
  const day = new Date(Date.UTC(2020, 0, 1 + nth)).toISOString().slice(0, 10)
  return image(id, `debian-13-amd64-${day.replaceAll('-', '')}-1`, owners.debian, day)
})
const newest = many.at(-1)?.id
const account = await startAccount([
  image('ami-0deb12000000000a1', 'debian-12-amd64-20260301-1'),
  image('ami-0b000000000000024', `${noble}20260301`, owners.ubuntu),
  image('ami-0b000000000000025', `${noble}20260401`, owners.ubuntu, '2026-04-01'),
  image('ami-0b000000000000099', `${noble}20260501`, '999999999999', '2026-05-01'),
  image(
    'ami-0b000000000000026',
    'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260601',
    owners.ubuntu,
    '2026-06-01',
  ),
  // EC2 gives them in any order.
  ...many.sort((a, b) => (a.id.at(-1) ?? '').localeCompare(b.id.at(-1) ?? '')),
])
const { ec2, proxy } = account

beforeEach(() => account.reset())
afterAll(() => account.stop())

const create = (change: Readonly<Record<string, unknown>> = {}) =>
  provider.create(account.request({ settings: account.settings(change) }))
const destroy = (record: Awaited<ReturnType<typeof create>>) => provider.destroy(record, account.settings(), () => undefined)

describe('a network', () => {
  async function ownNetwork() {
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.7.0.0/16' }))
    const subnet = async (CidrBlock: string) =>
      (await ec2.send(new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock }))).Subnet?.SubnetId ?? ''
    return { vpc: Vpc?.VpcId ?? '', small: await subnet('10.7.1.0/28'), large: await subnet('10.7.2.0/24') }
  }

  test('of the settings has the instance, its group, and a public address', async () => {
    const { vpc, small, large } = await ownNetwork()
    const record = await create({ subnet: small })
    const { instances, groups } = await account.holdings()
    const interfaces = [{ Groups: [{ GroupId: record.made?.group }], Association: { PublicIp: expect.any(String) } }]
    expect(instances).toMatchObject([{ SubnetId: small, VpcId: vpc, NetworkInterfaces: interfaces }])
    expect(groups).toMatchObject([{ VpcId: vpc }])
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)

    await create({ vpc })
    expect((await account.holdings()).instances).toMatchObject([{ SubnetId: large }])
  })

  test('that is not there is an error before anything is made', async () => {
    const { vpc, small } = await ownNetwork()
    for (const change of [{ subnet: 'subnet-0123' }, { vpc: 'vpc-0123' }, { subnet: small, vpc: 'vpc-0123' }]) {
      const error = await kraftErrorOf(create(change))
      expect(error.message).toMatch(/^EC2 has no subnet (subnet-\w+|in the VPC vpc-0123)( in the VPC vpc-0123)? in eu-west-1$/)
      expect(error.failure).toMatchObject({ kind: 'usage', next: expect.stringContaining('aws ec2 describe-subnets') })
    }
    expect((await kraftErrorOf(create({ vpc, securitygroup: 'nope' }))).message).toBe(`EC2 has no security group nope in ${vpc}`)
    expect(await account.holdings()).toEqual(nothing)
  })

  test('is missed in an account without a default one, and the message says what to set', async () => {
    for (const { SubnetId } of (await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? [])
      await ec2.send(new DeleteSubnetCommand({ SubnetId }))
    for (const { VpcId } of (await ec2.send(new DescribeVpcsCommand({}))).Vpcs ?? [])
      await ec2.send(new DeleteVpcCommand({ VpcId }))
    const error = await kraftErrorOf(create())
    expect(error.failure).toMatchObject({
      message: 'Your AWS account has no default network (VPC) in eu-west-1',
      next: expect.stringMatching(/create-default-vpc\), or set subnet or vpc/),
    })
    expect(await account.holdings()).toEqual(nothing)
  })
})

describe('an Elastic IP', () => {
  test('is tagged, found again, and given back with the node', async () => {
    const record = await create({ elastic_ip: true })
    const { addresses, instances } = await account.holdings()
    expect(addresses).toMatchObject([{ AllocationId: record.made?.address, InstanceId: record.id }])
    expect(addresses[0]?.Tags).toContainEqual({ Key: 'kraftwerk:id', Value: record.made?.id })
    expect(instances[0]?.PublicIpAddress).toBe(addresses[0]?.PublicIp)
    // Whatever the settings say now.
    expect(await create()).toEqual(record)
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)
  })

  test('that the account may not have is an error, and nothing is left', async () => {
    proxy.fail('AllocateAddress', { code: 'AddressLimitExceeded', message: 'The maximum number of addresses has been reached.' })
    expect((await kraftErrorOf(create({ elastic_ip: true }))).message).toMatch(/reached a limit in eu-west-1: The maximum number/)
    expect(await account.holdings()).toEqual(nothing)
  })

  test('is waited for where the instance still holds on to it', async () => {
    const record = await create({ elastic_ip: true })
    proxy.fail('ReleaseAddress', { code: 'InvalidIPAddress.InUse', message: 'in use' }, 2)
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)
  })
})

describe('a spot instance', () => {
  test('is asked for once, so that none comes back after its end', async () => {
    const record = await create({ spot: true, spot_price: '0.0125' })
    const { SpotInstanceRequests = [] } = await ec2.send(new DescribeSpotInstanceRequestsCommand({}))
    expect((await account.holdings()).instances).toMatchObject([{ InstanceId: record.id, InstanceLifecycle: 'spot' }])
    expect(SpotInstanceRequests.filter(({ Type }) => Type !== 'one-time')).toEqual([])
    await destroy(record)
    expect(await account.holdings()).toEqual(nothing)
  })

  const refusals: readonly [string, string, RegExp, RegExp][] = [
    ['InsufficientInstanceCapacity', 'task', /^AWS cannot start t3\.small there now: No\.$/, /or without spot\.$/],
    [
      'SpotMaxPriceTooLow',
      'usage',
      /^No spot instance t3\.small costs as little as spot_price 0\.001: No\.$/,
      /^Raise spot_price/,
    ],
    ['MaxSpotInstanceCountExceeded', 'task', /reached a limit in eu-west-1: No\.$/, /Service Quotas/],
    ['AuthFailure.ServiceLinkedRoleCreationNotPermitted', 'task', /^Your AWS account may not do this: No\.$/, /rights/],
  ]
  test.each(refusals)('that AWS refuses (%s) is an error that says what to do', async (code, kind, message, next) => {
    proxy.fail('RunInstances', { code, message: 'No.' })
    const error = await kraftErrorOf(create({ spot: true, spot_price: 0.001 }))
    expect(error.failure).toMatchObject({
      kind,
      message: expect.stringMatching(message),
      next: expect.stringMatching(next),
    })
    expect(await account.holdings()).toEqual(nothing)
  })
})

describe('an image', () => {
  test('of Ubuntu is the newest that Canonical published for the machine, and has the login ubuntu', async () => {
    const record = await create({ image_id: 'ubuntu-24.04' })
    expect((await account.holdings()).instances).toMatchObject([{ ImageId: 'ami-0b000000000000025' }])
    await destroy(record)
    const { settings, ...rest } = account.request({ settings: account.settings({ image_id: 'ubuntu-24.04' }) })
    const { login: _, ...unsaid } = settings
    expect((await provider.create({ ...rest, settings: unsaid })).user).toBe('ubuntu')
    await account.halt()
  })

  test('is the newest of hundreds, on whichever page', async () => {
    await create({ image_id: 'debian-13' })
    expect((await account.holdings()).instances).toMatchObject([{ ImageId: newest }])
    expect(proxy.calls.filter((action) => action === 'DescribeImages').length).toBe(2)
    const ids = ((await provider.images?.(account.settings())) ?? []).map(({ id }) => id)
    expect(ids).toHaveLength(624)
    expect(ids).not.toContain('ami-0b000000000000099')
  })

  test('that nobody published, and a word for none, are errors', async () => {
    expect((await kraftErrorOf(create({ image_id: 'ubuntu-22.04' }))).message).toMatch(
      /^Nobody has published ubuntu-22\.04 for x86_64 in eu-west-1/,
    )
    expect((await kraftErrorOf(create({ image_id: 'ubuntu' }))).message).toMatch(
      /^Setting image_id of the provider ec2: An image is debian-12, .* or looks like ami-/,
    )
  })
})

test('an account that is asked too often is asked again, more slowly, and no second instance is made', async () => {
  proxy.fail('DescribeInstances', { code: 'RequestLimitExceeded', message: 'Request limit exceeded.' })
  proxy.fail('RunInstances', { code: 'RequestLimitExceeded', message: 'Request limit exceeded.' }, 2)
  const record = await create()
  expect((await account.holdings()).instances).toMatchObject([{ InstanceId: record.id }])
  await destroy(record)

  // What is said once even that was not enough.
  const error = Object.assign(new Error('Request limit exceeded.'), { name: 'RequestLimitExceeded', $metadata: {} })
  expect(explain(error, { node: 'one', settings: settingsOf({}), region: 'eu-west-1' })).toMatchObject({
    message: 'AWS was asked too often, and wants more patience than kraft has: Request limit exceeded.',
  })
})

test('asks for an encrypted gp3 disk, IMDSv2 alone, tags on all that is made, and a token that keeps it one', () => {
  const who = { node: 'one', id: '0123456789abcdef', owner: 'SHA256:x' }
  const disks = { rootDevice: '/dev/xvda', otherDisks: ['/dev/sdb'], least: 8 }
  const base = { id: 'ami-1', name: 'x', architecture: 'x86_64', ...disks, login: 'admin' }
  const size = { type: 't3.small', runs: ['x86_64'] } as const
  const asked = { who, image: base, size, group: 'sg-1', key: undefined, disk: 4, userData: secret('#cloud-config') }
  const input = launchInput({ ...asked, network: undefined, spot: { price: undefined } })
  expect(input).toMatchObject({
    ClientToken: 'kraftwerk-0123456789abcdef',
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpProtocolIpv6: 'disabled' },
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp3', VolumeSize: 8, Encrypted: true, DeleteOnTermination: true } },
      // No disk of the image outlives the node.
      { DeviceName: '/dev/sdb', Ebs: { Encrypted: true, DeleteOnTermination: true } },
    ],
    UserData: Buffer.from(reveal(asked.userData)).toString('base64'),
  })
  expect(input.TagSpecifications?.map(({ ResourceType }) => ResourceType)).toEqual([
    'instance',
    'volume',
    'network-interface',
    'spot-instances-request',
  ])
  for (const { Tags } of input.TagSpecifications ?? []) expect(Tags).toContainEqual({ Key: 'kraftwerk:id', Value: who.id })
})
