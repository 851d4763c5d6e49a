import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  CreateSecurityGroupCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  EC2Client,
  ImportKeyPairCommand,
  type Instance,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CreateRequest } from '../../../engine/node/provider.js'
import { provider } from '../../../recipes/providers/ec2.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../../rig/ec2-node.js'
import { type Ec2Proxy, type Launched, startEc2Proxy } from '../../rig/ec2-proxy.js'
import { kraftErrorOf } from '../../rig/failure.js'
import { firstLogin, loginAtOnce } from '../../rig/first-login.js'
import { type Moto, startMoto } from '../../rig/moto.js'
import { newKey, sayHello } from '../../rig/openssh-client.js'

// Read while the SDK loads, which this file does at its top.
vi.hoisted(() => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
})

const run = promisify(execFile)
const debian = '136693071363'
const newest = 'ami-0deb12000000000a2'

let moto: Moto
let proxy: Ec2Proxy
let ec2: EC2Client
let port: number
let folder: string
let publicKey: string
let otherKey: string
let node: BootedNode | undefined
let login: NonNullable<CreateRequest['login']>
let launched: (instance: Launched) => Promise<void>

beforeAll(async () => {
  for (const name of [
    'AWS_PROFILE',
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
  ]) {
    vi.stubEnv(name, undefined)
  }
  // Without these the SDK would read the developer's own account, and look for a metadata service on the network.
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  await prepareNode()
  const created = (day: number) => `2026-0${day}-01T00:00:00.000Z`
  moto = await startMoto([
    {
      id: 'ami-0deb12000000000a1',
      name: 'debian-12-amd64-20260101-1',
      owner: debian,
      architecture: 'x86_64',
      created: created(1),
    },
    { id: newest, name: 'debian-12-amd64-20260301-1', owner: debian, architecture: 'x86_64', created: created(3) },
    {
      id: 'ami-0deb12000000000a3',
      name: 'debian-12-arm64-20260401-1',
      owner: debian,
      architecture: 'arm64',
      created: created(4),
    },
    {
      id: 'ami-0deb12000000000a4',
      name: 'debian-12-amd64-20260501-1',
      owner: '999999999999',
      architecture: 'x86_64',
      created: created(5),
    },
  ])
  proxy = await startEc2Proxy(moto.url, '127.0.0.1', (instance) => launched(instance))
  ec2 = new EC2Client({ region: 'eu-west-1', endpoint: moto.url, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-ec2-test-'))
  publicKey = await newKey(folder, 'id')
  otherKey = await newKey(folder, 'other')
  login = await firstLogin(folder)
}, 300_000)

afterAll(async () => {
  ec2?.destroy()
  await proxy?.stop()
  await moto?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

beforeEach(async () => {
  await moto.reset()
  proxy.clear()
  port = await freePort()
  launched = async ({ userData }) => {
    node = await bootNode(userData, port)
  }
})

afterEach(async () => {
  await node?.stop()
  node = undefined
})

describe('create', () => {
  test('makes an instance as asked, which answers with the host key that it was given', { timeout: 60_000 }, async () => {
    const lines: string[] = []
    const record = await provider.create(request({ login, progress: (line) => lines.push(line) }))

    expect(record.host_keys).toEqual([expect.stringMatching(/^ssh-ed25519 \S+$/)])
    expect(record).toMatchObject({ name: 'one', provider: 'ec2', address: '127.0.0.1', port, user: userInfo().username })
    const [instance] = await instances()
    expect(instance).toMatchObject({ InstanceId: record.id, ImageId: newest, InstanceType: 't3.small' })
    const id = record.made?.id ?? ''
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(tagsOf(instance)).toMatchObject({ Name: 'one', 'kraftwerk:node': 'one', 'kraftwerk:id': id })
    expect(instance?.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 })
    expect(instance?.ClientToken).toContain(id)
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
    expect(instance?.Tags).toContainEqual({ Key: 'kraftwerk:host-key', Value: record.host_keys[0] })
    expect(Volumes).toMatchObject([{ Encrypted: true, VolumeType: 'gp3', Size: 20 }])
    expect(tagsOf(Volumes[0])).toMatchObject({ 'kraftwerk:id': id })
    const [group] = await groups()
    expect(group?.GroupId).toBe(record.made?.group)
    expect(instance?.SecurityGroups?.map(({ GroupId }) => GroupId)).toEqual([group?.GroupId])
    expect(
      group?.IpPermissions?.map(({ FromPort, ToPort, IpRanges }) => [FromPort, ToPort, IpRanges?.map(({ CidrIp }) => CidrIp)]),
    ).toEqual([
      [port, port, ['127.0.0.0/8']],
      [80, 80, ['0.0.0.0/0']],
      [443, 443, ['0.0.0.0/0']],
    ])
    expect(instance?.KeyName).toBe(record.made?.key)
    expect((await keyPairs()).map(({ KeyName }) => KeyName)).toEqual([record.made?.key])
    expect(lines.join('\n')).toMatch(
      /Starting t3.small with debian-12-amd64-20260301-1 in eu-west-1\n.*\nWaiting for sshd at 127.0.0.1/,
    )

    await expect(sayHello(folder, port, record.host_keys)).resolves.toBe('hello\n')
    expect(await provider.describe(record, settings())).toBe('running')
  })

  test('gives cloud-init a key pair of the host that belongs together', { timeout: 60_000 }, async () => {
    const record = await provider.create(request())
    const { UserData } = await ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId: record.id ?? '', Attribute: 'userData' }),
    )
    const text = Buffer.from(UserData?.Value ?? '', 'base64').toString()
    const file = join(folder, 'host_key')
    await writeFile(file, `${/ed25519_private: \|\n((?: {4}.*\n)+)/.exec(text)?.[1]?.replaceAll(/^ {4}/gm, '')}`, { mode: 0o600 })
    const { stdout } = await run('ssh-keygen', ['-y', '-f', file])
    expect(text).toContain(stdout.split(' ').slice(0, 2).join(' '))
    // It vouched for the first connection alone.
    expect(stdout.split(' ').slice(0, 2).join(' ')).not.toBe(record.host_keys[0])
    expect(record.host_keys).toHaveLength(1)
  })

  test('finds what an earlier run made instead of making a second one', { timeout: 60_000 }, async () => {
    const first = await provider.create(request())
    expect(await provider.create(request())).toEqual(first)
    expect(await instances()).toHaveLength(1)
    expect(await groups()).toHaveLength(1)
    expect(await keyPairs()).toHaveLength(1)
  })

  describe('after a run that was killed', () => {
    let text: string

    beforeEach(async () => {
      const stop = new AbortController()
      launched = async ({ userData }) => {
        text = userData
        stop.abort()
      }
      // A run that may not undo anything leaves the same as one that is killed.
      proxy.fail('TerminateInstances', { code: 'UnauthorizedOperation', message: 'No.' })
      await kraftErrorOf(provider.create(request({ signal: stop.signal })))
      expect(await instances()).toHaveLength(1)
    }, 60_000)

    test('goes on with its instance, and knows all that belongs to it', { timeout: 60_000 }, async () => {
      node = await bootNode(text, port)
      const record = await provider.create(request())
      expect(await instances()).toMatchObject([{ InstanceId: record.id }])
      expect(await sayHello(folder, port, record.host_keys)).toBe('hello\n')
      await provider.destroy(record, settings(), () => undefined)
      await expectNothing()
    })

    test('undoes it when it does not come up', { timeout: 60_000 }, async () => {
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 1_000)
      expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
      await expectNothing()
    })
  })

  test('never takes away a node that it had handed over', { timeout: 60_000 }, async () => {
    const record = await provider.create(request())
    await node?.stop()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 1_000)
    expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
    expect(await instances()).toMatchObject([{ InstanceId: record.id }])
  })

  test('leaves alone a node of the same name that somebody else made', { timeout: 60_000 }, async () => {
    const theirs = await provider.create(request())
    await node?.stop()
    const mine = await provider.create(request({ publicKey: otherKey }))
    expect(mine.id).not.toBe(theirs.id)
    expect(await instances()).toHaveLength(2)
  })

  test('uses the group and the key pair of the settings, and keeps them', { timeout: 60_000 }, async () => {
    await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'web', Description: 'mine' }))
    await ec2.send(new ImportKeyPairCommand({ KeyName: 'me', PublicKeyMaterial: Buffer.from(otherKey) }))
    const record = await provider.create(request({ settings: settings({ securitygroup: 'web', keyname: 'me' }) }))
    expect(await instances()).toMatchObject([{ KeyName: 'me', SecurityGroups: [{ GroupName: 'web' }] }])
    expect(Object.keys(record.made ?? {}).sort()).toEqual(['id', 'region'])
    await provider.destroy(record, settings(), () => undefined)
    expect(await groups()).toMatchObject([{ GroupName: 'web' }])
    expect(await keyPairs()).toMatchObject([{ KeyName: 'me' }])
  })

  test('takes an image for ARM where the size is one', { timeout: 60_000 }, async () => {
    await provider.create(request({ settings: settings({ size_id: 't4g.small' }) }))
    expect(await instances()).toMatchObject([{ ImageId: 'ami-0deb12000000000a3' }])
  })

  test('removes what an earlier run left that died before it had an instance', { timeout: 60_000 }, async () => {
    proxy.fail('RunInstances', { code: 'InternalFailure', message: 'down' })
    proxy.fail('DeleteSecurityGroup', { code: 'UnauthorizedOperation', message: 'not now' })
    await kraftErrorOf(provider.create(request()))
    expect(await groups()).toHaveLength(1)
    const record = await provider.create(request())
    expect((await groups()).map(({ GroupId }) => GroupId)).toEqual([record.made?.group])
  })
})

describe('create undoes everything', () => {
  test('when another host key answers', { timeout: 60_000 }, async () => {
    launched = async ({ userData }) => {
      const stranger = join(folder, 'stranger')
      await rm(stranger, { force: true })
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger])
      const key = (await readFile(stranger, 'utf8')).trim().replaceAll('\n', '\n    ')
      node = await bootNode(userData.replace(/ed25519_private: \|\n(?: {4}.*\n)+/, `ed25519_private: |\n    ${key}\n`), port)
    }
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.failure.kind).toBe('host-key')
    expect(error.message).toMatch(
      /^one: The sshd at 127\.0\.0\.1 port \d+ has the host key SHA256:\S+, but the node was given SHA256:/,
    )
    await expectNothing()
  })

  test('when it is interrupted while it waits', { timeout: 60_000 }, async () => {
    const stop = new AbortController()
    launched = async () => void setTimeout(() => stop.abort(), 500)
    const error = await kraftErrorOf(provider.create(request({ signal: stop.signal })))
    expect(error.failure.kind).toBe('interrupted')
    await expectNothing()
  })

  test('when it is interrupted in the middle of a call that makes something', { timeout: 60_000 }, async () => {
    const stop = new AbortController()
    launched = async () => stop.abort()
    expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
    await expectNothing()
  })

  test('when the answer of EC2 gets lost after the instance was started', { timeout: 60_000 }, async () => {
    proxy.fail('RunInstances', 'lost', 5)
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.message).toContain('did not answer')
    expect(await instances(true)).toHaveLength(1)
    await expectNothing()
  })

  test('when the rules of the group are refused', { timeout: 60_000 }, async () => {
    proxy.fail('AuthorizeSecurityGroupIngress', { code: 'UnauthorizedOperation', message: 'You are not authorized' })
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/may not do this: You are not authorized/)
    await expectNothing()
  })

  test('and says what is left when even that fails', { timeout: 60_000 }, async () => {
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
  test.each(cases)('%s', { timeout: 60_000 }, async (_, action, fault, kind, message) => {
    proxy.fail(action, fault)
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.message).toMatch(message)
    expect(error.failure.kind).toBe(kind)
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
      /^Setting allow_ssh of the provider ec2: A range of addresses looks like/,
    ],
  ]
  test.each(wrong)('%s', { timeout: 60_000 }, async (_, change, message) => {
    const error = await kraftErrorOf(provider.create(request({ settings: settings(change) })))
    expect(error.message).toMatch(message)
    expect(error.failure).toMatchObject({ kind: 'usage', next: expect.any(String) })
    await expectNothing()
  })

  test('an endpoint that nobody listens on', { timeout: 60_000 }, async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const error = await kraftErrorOf(provider.create(request({ settings: settings({ endpoint }) })))
    expect(error.message).toMatch(new RegExp(`^${endpoint} did not answer: .*ECONNREFUSED`))
  })

  test('a stopped instance with the name', { timeout: 60_000 }, async () => {
    const record = await provider.create(request())
    await ec2.send(new StopInstancesCommand({ InstanceIds: [record.id ?? ''] }))
    expect(await provider.describe(record, settings())).toBe('stopped')
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/is stopped$/)
    expect(await instances()).toHaveLength(1)
  })
})

test('lists the nodes that kraft made, images of Debian and Ubuntu, sizes and regions', { timeout: 60_000 }, async () => {
  const record = await provider.create(request())
  expect(await provider.list?.(settings())).toEqual([{ name: 'one', id: record.id, state: 'running', address: '127.0.0.1' }])
  const images = (await provider.images?.(settings())) ?? []
  // Newest first, and none of somebody who only uses the name.
  expect(images.map(({ id }) => id)).toEqual(['ami-0deb12000000000a3', newest, 'ami-0deb12000000000a1'])
  const sizes = (await provider.sizes?.(settings())) ?? []
  expect(sizes.find(({ id }) => id === 't3.small')).toEqual({ id: 't3.small', cpus: 2, memory: 2, architecture: 'x86_64' })
  // More than one page.
  expect(sizes.length).toBeGreaterThan(100)
  expect((await provider.regions?.(settings()))?.map(({ id }) => id)).toContain('eu-central-1')
})

test('says what EC2 has not been told: nothing, once any of its own tools is set up', () => {
  expect(provider.missing?.({})?.map(({ key }) => key)).toEqual(['user', 'secret', 'location_id'])
  expect(provider.missing?.(settings())).toEqual([])
  vi.stubEnv('AWS_PROFILE', 'work')
  expect(provider.missing?.({})).toEqual([])
  vi.stubEnv('AWS_PROFILE', undefined)
})

describe('destroy', () => {
  test('removes the instance, its group and its key pair, and nothing else', { timeout: 60_000 }, async () => {
    await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'other', Description: 'not ours' }))
    await ec2.send(new ImportKeyPairCommand({ KeyName: 'other', PublicKeyMaterial: Buffer.from(otherKey) }))
    const two = await provider.create(request({ name: 'two' }))
    await node?.stop()
    const one = await provider.create(request())
    // As EC2 does for a while after the end of an instance.
    proxy.fail('DeleteSecurityGroup', { code: 'DependencyViolation', message: 'resource has a dependent object' }, 2)
    await provider.destroy(one, settings(), () => undefined)

    expect((await instances()).map(({ InstanceId }) => InstanceId)).toEqual([two.id])
    expect((await groups()).map(({ GroupName }) => GroupName).sort()).toEqual([`kraftwerk-two-${two.made?.id}`, 'other'])
    expect((await keyPairs()).map(({ KeyName }) => KeyName).sort()).toEqual([two.made?.key, 'other'].sort())
    expect(await provider.describe(one, settings())).toBe('missing')
    expect(proxy.calls.lastIndexOf('TerminateInstances')).toBeLessThan(proxy.calls.indexOf('DeleteSecurityGroup'))
  })

  test('is fine with what is gone already', { timeout: 60_000 }, async () => {
    const record = await provider.create(request())
    await provider.destroy(record, settings(), () => undefined)
    await provider.destroy(record, settings(), () => undefined)
    await moto.reset()
    await provider.destroy(record, settings(), () => undefined)
    expect(await provider.describe(record, settings())).toBe('missing')
  })

  test('refuses an instance that is not the remembered one, and groups and keys of others', { timeout: 60_000 }, async () => {
    const one = await provider.create(request())
    await node?.stop()
    const two = await provider.create(request({ name: 'two' }))
    const mixed = { ...one, id: two.id ?? '' }
    expect((await kraftErrorOf(provider.destroy(mixed, settings(), () => undefined))).message).toMatch(
      /is not the instance that kraft made for this node/,
    )
    const greedy = { ...one, made: { ...one.made, group: two.made?.group ?? '', key: two.made?.key ?? '' } }
    await provider.destroy(greedy, settings(), () => undefined)
    expect((await groups()).map(({ GroupId }) => GroupId)).toContain(two.made?.group)
    expect((await keyPairs()).map(({ KeyName }) => KeyName)).toContain(two.made?.key)
  })

  test('finds the region of the node, wherever the settings point now', { timeout: 60_000 }, async () => {
    const record = await provider.create(request())
    await provider.destroy(record, settings({ location_id: 'us-east-1' }), () => undefined)
    await expectNothing()
  })
})

function settings(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const all = {
    user: 'AKIATEST',
    secret: 'secret',
    location_id: 'eu-west-1',
    login: userInfo().username,
    allow_ssh: '127.0.0.0/8',
    endpoint: proxy.url,
    port,
    ...change,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function request(change: Partial<CreateRequest> = {}): CreateRequest {
  const at = loginAtOnce(() => node)
  return { name: 'one', publicKey, settings: settings(), progress: () => undefined, login: at, ...change }
}

async function expectNothing(): Promise<void> {
  expect(await instances()).toEqual([])
  expect(await groups()).toEqual([])
  expect(await keyPairs()).toEqual([])
  expect((await ec2.send(new DescribeVolumesCommand({}))).Volumes).toEqual([])
}

async function instances(terminatedToo = false): Promise<Instance[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
  return Reservations.flatMap(({ Instances = [] }) => Instances).filter(
    ({ State }) => terminatedToo || State?.Name !== 'terminated',
  )
}

async function groups() {
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}))
  return SecurityGroups.filter(({ GroupName }) => GroupName !== 'default')
}

async function keyPairs() {
  return (await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs ?? []
}

function tagsOf(
  of: { Tags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined } | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries((of?.Tags ?? []).map(({ Key = '', Value }) => [Key, Value]))
}
