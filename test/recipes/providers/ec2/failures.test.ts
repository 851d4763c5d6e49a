import { DescribeInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { generateHostKey } from '../../../../engine/ssh/key-pair.js'
import { provider } from '../../../../recipes/providers/ec2.js'
import { image, nothing, owners, startAccount } from '../../../rig/ec2-account.js'
import { freePort } from '../../../rig/ec2-node.js'
import { kraftErrorOf } from '../../../rig/failure.js'

const account = await startAccount([
  image('ami-0deb12000000000a2', 'debian-12-amd64-20260301-1'),
  image('ami-0deb12000000000a3', 'debian-12-arm64-20260401-1', owners.debian, '2026-04-01'),
])
const { ec2, proxy, settings, request } = account

beforeEach(() => account.reset())
afterAll(() => account.stop())

const expectNothing = async () => expect(await account.holdings()).toEqual(nothing)
const instances = async () => (await account.holdings()).instances

describe('create undoes everything', () => {
  test('when another host key answers', async () => {
    account.launched = async (userData) => {
      const key = generateHostKey().privateKey.trim().replaceAll('\n', '\n    ')
      await account.boot(userData.replace(/ed25519_private: \|\n(?: {4}.*\n)+/, `ed25519_private: |\n    ${key}\n`))
    }
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.failure.kind).toBe('host-key')
    expect(error.message).toMatch(
      /^one: The sshd at 127\.0\.0\.1 port \d+ has the host key SHA256:\S+, but the node was given SHA256:/,
    )
    await expectNothing()
  })

  test('when it is interrupted while it waits', async () => {
    const stop = new AbortController()
    account.launched = async () => void setTimeout(() => stop.abort(), 500)
    const error = await kraftErrorOf(provider.create(request({ signal: stop.signal })))
    expect(error.failure.kind).toBe('interrupted')
    await expectNothing()
  })

  test('when it is interrupted in the middle of a call that makes something', async () => {
    const stop = new AbortController()
    account.launched = async () => stop.abort()
    expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
    await expectNothing()
  })

  test('when the answer of EC2 gets lost after the instance was started', async () => {
    proxy.fail('RunInstances', 'lost', 5)
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.message).toContain('did not answer')
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
    expect(Reservations).toHaveLength(1)
    await expectNothing()
  })

  test('when the rules of the group are refused', async () => {
    proxy.fail('AuthorizeSecurityGroupIngress', { code: 'UnauthorizedOperation', message: 'You are not authorized' })
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/may not do this: You are not authorized/)
    await expectNothing()
  })

  test('and says what is left when even that fails', async () => {
    proxy.fail('RunInstances', { code: 'VcpuLimitExceeded', message: 'You have 0 vCPUs.' })
    proxy.fail('DeleteSecurityGroup', { code: 'UnauthorizedOperation', message: 'No deleting.' })
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.message).toMatch(/You have 0 vCPUs\. And what was made for it could not be removed: .*No deleting/)
    expect(error.failure).toMatchObject({ next: expect.stringMatching(/kraftwerk:id=[0-9a-f]{16} in eu-west-1/) })
  })
})

describe('create explains', () => {
  const cases: readonly [string, string, { code: string; message: string }, string, RegExp][] = [
    [
      'wrong credentials',
      'DescribeInstances',
      { code: 'AuthFailure', message: 'Not validated.' },
      'usage',
      /^AWS refused the access key AKIATEST in eu-west-1/,
    ],
    [
      'expired credentials',
      'DescribeInstances',
      { code: 'ExpiredToken', message: 'Too old.' },
      'usage',
      /credentials have expired: Too old/,
    ],
    [
      'a session that has expired',
      'DescribeInstances',
      { code: 'RequestExpired', message: 'Request has expired.' },
      'usage',
      /^Your session at AWS has expired, or the clock of this machine is wrong: Request has expired\.$/,
    ],
    [
      'a lack of rights, without its thousand letters',
      'RunInstances',
      {
        code: 'UnauthorizedOperation',
        message: 'You are not authorized: ec2:RunInstances. Encoded authorization failure message: Zm9vYmFy',
      },
      'task',
      /^Your AWS account may not do this: You are not authorized: ec2:RunInstances\.$/,
    ],
    [
      'an account that is being looked at',
      'RunInstances',
      { code: 'PendingVerification', message: 'Your account is currently being verified.' },
      'task',
      /^AWS does not let your account do this yet: Your account/,
    ],
    [
      'a size that the account may not have',
      'RunInstances',
      { code: 'InvalidParameterCombination', message: 'It is not eligible for Free Tier.' },
      'usage',
      /^AWS starts no t3\.small with these settings: It is not eligible/,
    ],
    [
      'a network without a way out',
      'RunInstances',
      { code: 'Gateway.NotAttached', message: 'No gateway.' },
      'task',
      /no way to the internet: No gateway/,
    ],
    ['a fault of EC2', 'CreateSecurityGroup', { code: 'Unavailable', message: 'Down.' }, 'task', /^EC2 has a fault: Down\.$/],
    [
      'a limit of instances',
      'RunInstances',
      { code: 'InstanceLimitExceeded', message: 'You asked for 1.' },
      'task',
      /reached a limit in eu-west-1: You asked for 1/,
    ],
    [
      'a limit of vCPUs',
      'RunInstances',
      { code: 'VcpuLimitExceeded', message: 'You asked for 2.' },
      'task',
      /reached a limit in eu-west-1: You asked for 2/,
    ],
    [
      'a lack of machines',
      'RunInstances',
      { code: 'InsufficientInstanceCapacity', message: 'None.' },
      'task',
      /cannot start t3.small there now/,
    ],
    [
      'an account without a network',
      'CreateSecurityGroup',
      { code: 'VPCIdNotSpecified', message: 'x' },
      'task',
      /no default network \(VPC\) in eu-west-1/,
    ],
    ['whatever else EC2 says', 'RunInstances', { code: 'Strange', message: 'Odd.' }, 'task', /^EC2 refused: Odd\. \(Strange\)$/],
  ]
  test.each(cases)('%s', async (_, action, fault, kind, message) => {
    proxy.fail(action, fault)
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.message).toMatch(message)
    expect(error.failure).toMatchObject({ kind, next: expect.stringMatching(/./) })
    await expectNothing()
  })

  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    ['no region', { location_id: undefined }, /^No AWS region is set$/],
    ['a region that is none', { location_id: 'eu west', endpoint: undefined }, /^eu west is not the name of an AWS region$/],
    ['no credentials', { user: undefined, secret: undefined }, /^No AWS credentials were found/],
    ['half of the credentials', { secret: undefined }, /only half of its credentials: secret is missing/],
    ['an unknown image', { image_id: 'ami-0123456789abcdef0' }, /^There is no image ami-0123456789abcdef0 in eu-west-1$/],
    ['an unknown size', { size_id: 't9.small' }, /^EC2 has no size t9\.small in eu-west-1$/],
    ['an image that does not fit the size', { image_id: 'ami-0deb12000000000a3' }, /is for arm64, but t3\.small runs x86_64/],
    ['an unknown group', { securitygroup: 'nope' }, /^EC2 has no security group nope in eu-west-1$/],
    ['an unknown key pair', { keyname: 'nope' }, /^EC2 has no key pair nope in eu-west-1$/],
    [
      'a misspelt range of addresses',
      { allow_ssh: '10.0.0.0/64' },
      /^Setting allow_ssh of the provider ec2: It is mine, or a range of addresses: /,
    ],
  ]
  test.each(wrong)('%s', async (_, change, message) => {
    const error = await kraftErrorOf(provider.create(request({ settings: settings(change) })))
    expect(error.message).toMatch(message)
    expect(error.failure).toMatchObject({ kind: 'usage', next: expect.any(String) })
    await expectNothing()
  })

  test('a protected instance, and keeps the node', async () => {
    const record = await provider.create(request())
    const message = "The instance may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
    proxy.fail('TerminateInstances', { code: 'OperationNotPermitted', message })
    const error = await kraftErrorOf(provider.destroy(record, settings(), () => undefined))
    expect(error.failure).toMatchObject({
      message: `AWS keeps the instance: ${message}`,
      next: expect.stringMatching(/--no-disable-api-termination .*kraft terminate:one$/),
    })
    expect(await instances()).toHaveLength(1)
  })

  test('an endpoint that nobody listens on', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const error = await kraftErrorOf(provider.create(request({ settings: settings({ endpoint }) })))
    expect(error.message).toMatch(new RegExp(`^${endpoint} did not answer: .*ECONNREFUSED`))
  })

  test('a stopped instance with the name', async () => {
    const record = await provider.create(request())
    await ec2.send(new StopInstancesCommand({ InstanceIds: [record.id ?? ''] }))
    expect(await provider.describe(record, settings())).toBe('stopped')
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/is stopped$/)
    expect((await kraftErrorOf(provider.create(request({ known: record })))).failure).toMatchObject({
      next: expect.stringContaining('kraft start:one'),
    })
    expect(await instances()).toHaveLength(1)
  })
})
