import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  CreateSecurityGroupCommand,
  DescribeInstanceAttributeCommand,
  ImportKeyPairCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { NodeRecord } from '../../../engine/node/record.js'
import { missingOf } from '../../../recipes/providers/ec2/missing.js'
import { settingsOf } from '../../../recipes/providers/ec2/settings.js'
import { provider } from '../../../recipes/providers/ec2.js'
import { image, nothing, owners, startAccount } from '../../rig/ec2-account.js'
import { kraftErrorOf } from '../../rig/failure.js'
import { firstLogin } from '../../rig/first-login.js'
import { sayHello } from '../../rig/openssh-client.js'

const run = promisify(execFile)
const newest = 'ami-0deb12000000000a2'
const account = await startAccount([
  image('ami-0deb12000000000a1', 'debian-12-amd64-20260101-1', owners.debian, '2026-01-01'),
  image(newest, 'debian-12-amd64-20260301-1'),
  image('ami-0deb12000000000a3', 'debian-12-arm64-20260401-1', owners.debian, '2026-04-01'),
  image('ami-0deb12000000000a4', 'debian-12-amd64-20260501-1', '999999999999', '2026-05-01'),
])
const { ec2, proxy, folder, otherKey, settings, request } = account
const login = await firstLogin(folder)

beforeEach(() => account.reset())
afterAll(() => account.stop())

describe('create', () => {
  test('makes an instance as asked, which answers with the host key that it was given', async () => {
    const lines: string[] = []
    const record = await provider.create(request({ login, progress: (line) => lines.push(line) }))

    expect(record.host_keys).toEqual([expect.stringMatching(/^ssh-ed25519 \S+$/)])
    expect(record).toMatchObject({
      name: 'one',
      provider: 'ec2',
      address: '127.0.0.1',
      port: account.port,
      user: userInfo().username,
    })
    const [instance] = await instances()
    expect(instance).toMatchObject({ InstanceId: record.id, ImageId: newest, InstanceType: 't3.small' })
    const id = record.made?.id ?? ''
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(tagsOf(instance)).toMatchObject({ Name: 'one', 'kraftwerk:node': 'one', 'kraftwerk:id': id })
    expect(instance?.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 })
    expect(instance?.ClientToken).toContain(id)
    const { volumes } = await account.holdings()
    expect(instance?.Tags).toContainEqual({ Key: 'kraftwerk:host-key', Value: record.host_keys[0] })
    expect(volumes).toMatchObject([{ Encrypted: true, VolumeType: 'gp3', Size: 20 }])
    expect(tagsOf(volumes[0])).toMatchObject({ 'kraftwerk:id': id })
    const [group] = await groups()
    expect(group?.GroupId).toBe(record.made?.group)
    expect(instance?.SecurityGroups?.map(({ GroupId }) => GroupId)).toEqual([group?.GroupId])
    expect(
      group?.IpPermissions?.map(({ FromPort, ToPort, IpRanges }) => [FromPort, ToPort, IpRanges?.map(({ CidrIp }) => CidrIp)]),
    ).toEqual([
      [account.port, account.port, ['127.0.0.0/8']],
      [80, 80, ['0.0.0.0/0']],
      [443, 443, ['0.0.0.0/0']],
    ])
    expect(instance?.KeyName).toBe(record.made?.key)
    expect((await keyPairs()).map(({ KeyName }) => KeyName)).toEqual([record.made?.key])
    expect(lines.join('\n')).toMatch(
      /Starting t3.small with debian-12-amd64-20260301-1 in eu-west-1\n.*\nWaiting for sshd at 127.0.0.1/,
    )

    await expect(sayHello(folder, account.port, record.host_keys)).resolves.toBe('hello\n')
    expect(await provider.describe(record, settings())).toBe('running')
  })

  test('gives cloud-init a key pair of the host that belongs together', async () => {
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

  test('finds what an earlier run made instead of making a second one', async () => {
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
      account.launched = async (userData) => {
        text = userData
        stop.abort()
      }
      // A run that may not undo anything leaves the same as one that is killed.
      proxy.fail('TerminateInstances', { code: 'UnauthorizedOperation', message: 'No.' })
      await kraftErrorOf(provider.create(request({ signal: stop.signal })))
      expect(await instances()).toHaveLength(1)
    })

    test('goes on with its instance, and knows all that belongs to it', async () => {
      await account.boot(text)
      const record = await provider.create(request())
      expect(await instances()).toMatchObject([{ InstanceId: record.id }])
      expect(await sayHello(folder, account.port, record.host_keys)).toBe('hello\n')
      await provider.destroy(record, settings(), () => undefined)
      await expectNothing()
    })

    test('makes no second one where EC2 does not tell of it yet', async () => {
      const [first] = await instances()
      account.launched = async () => undefined
      proxy.fail('DescribeInstances', 'nothing')
      const error = await kraftErrorOf(provider.create(request()))
      expect(error.failure).toMatchObject({
        message: `${first?.InstanceId} is this node already: another run of kraft started it`,
        next: expect.stringContaining('kraft provision one'),
      })
      expect(await instances()).toMatchObject([{ InstanceId: first?.InstanceId }])
      await account.boot(text)
      expect((await provider.create(request())).id).toBe(first?.InstanceId)
    })

    test('undoes it when it does not come up', async () => {
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 1_000)
      expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
      await expectNothing()
    })
  })

  test('never takes away a node that it had handed over', async () => {
    const record = await provider.create(request())
    await account.halt()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 1_000)
    expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
    expect(await instances()).toMatchObject([{ InstanceId: record.id }])
  })

  test('leaves alone a node of the same name that somebody else made', async () => {
    const theirs = await provider.create(request())
    await account.halt()
    const mine = await provider.create(request({ publicKey: otherKey }))
    expect(mine.id).not.toBe(theirs.id)
    expect(await instances()).toHaveLength(2)
  })

  test('uses the group and the key pair of the settings, and keeps them', async () => {
    await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'web', Description: 'mine' }))
    await ec2.send(new ImportKeyPairCommand({ KeyName: 'me', PublicKeyMaterial: Buffer.from(otherKey) }))
    const record = await provider.create(request({ settings: settings({ securitygroup: 'web', keyname: 'me' }) }))
    expect(await instances()).toMatchObject([{ KeyName: 'me', SecurityGroups: [{ GroupName: 'web' }] }])
    expect(Object.keys(record.made ?? {}).sort()).toEqual(['id', 'region'])
    await provider.destroy(record, settings(), () => undefined)
    expect(await groups()).toMatchObject([{ GroupName: 'web' }])
    expect(await keyPairs()).toMatchObject([{ KeyName: 'me' }])
  })

  test('makes another in the place of a remembered one that is gone, and leaves nothing of that', async () => {
    const gone = await provider.create(request({ settings: settings({ elastic_ip: true }) }))
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [gone.id ?? ''] }))
    await account.halt()
    // A teammate's call: leftovers of one's own key are looked for anyway.
    const record = await provider.create(request({ known: gone, publicKey: otherKey }))
    const { groups, addresses } = await account.holdings()
    expect([groups.map(({ GroupId }) => GroupId), addresses]).toEqual([[record.made?.group], []])
    expect(record.id).not.toBe(gone.id)
  })

  test('takes an image for ARM where the size is one', async () => {
    await provider.create(request({ settings: settings({ size_id: 't4g.small' }) }))
    expect(await instances()).toMatchObject([{ ImageId: 'ami-0deb12000000000a3' }])
  })

  test('removes what an earlier run left that died before it had an instance', async () => {
    proxy.fail('RunInstances', { code: 'InternalFailure', message: 'down' })
    proxy.fail('DeleteSecurityGroup', { code: 'UnauthorizedOperation', message: 'not now' })
    await kraftErrorOf(provider.create(request()))
    expect(await groups()).toHaveLength(1)
    const record = await provider.create(request())
    expect((await groups()).map(({ GroupId }) => GroupId)).toEqual([record.made?.group])
  })
})

test('lists the nodes that kraft made, images of Debian and Ubuntu, sizes and regions', async () => {
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
  // Nobody has to know a region to ask for them.
  expect((await provider.regions?.(settings({ location_id: undefined })))?.map(({ id }) => id)).toContain('eu-central-1')
})

test('says what EC2 has not been told: nothing, once any of its own tools is set up', () => {
  expect(provider.missing?.({})?.map(({ key }) => key)).toEqual(['user', 'secret', 'location_id', 'allow_ssh'])
  expect(provider.missing?.(settings())).toEqual([])
  vi.stubEnv('AWS_PROFILE', 'work')
  // Who may reach ssh is worth a question, and nothing that is missed without an answer.
  expect(provider.missing?.({})).toEqual([{ key: 'allow_ssh', variables: [], toMake: true, otherwise: '0.0.0.0/0' }])
  expect(provider.missing?.({ securitygroup: 'web' })).toEqual([])
  vi.stubEnv('AWS_PROFILE', undefined)
})

test('an instance of EC2 is not asked for credentials: it may have a role', async () => {
  const file = join(folder, 'sys_vendor')
  await writeFile(file, 'Amazon EC2\n')
  const missing = (environ: NodeJS.ProcessEnv) =>
    missingOf(settingsOf({ allow_ssh: 'mine' }), environ, file).map(({ key }) => key)
  expect(missing({})).toEqual(['location_id'])
  expect(missing({ AWS_EC2_METADATA_DISABLED: 'true' })).toEqual(['user', 'secret', 'location_id'])
})

describe('start', () => {
  const start = (record: NodeRecord) => provider.start?.(record, { settings: settings(), progress: () => undefined })

  test('starts a stopped instance, and says where it is now; one that runs stays as it is', async () => {
    const record = await provider.create(request({ settings: settings({ elastic_ip: true }) }))
    await ec2.send(new StopInstancesCommand({ InstanceIds: [record.id ?? ''] }))
    expect(await provider.describe(record, settings())).toBe('stopped')
    expect(await start({ ...record, address: '192.0.2.1' })).toEqual(record)
    expect(await provider.describe(record, settings())).toBe('running')
    proxy.clear()
    expect(await start(record)).toEqual(record)
    expect(proxy.calls).not.toContain('StartInstances')
  })

  test('says that an instance is gone, or not the one that is remembered', async () => {
    const record = await provider.create(request())
    const mixed = { ...record, made: { ...record.made, id: '0123456789abcdef' } }
    expect((await kraftErrorOf(Promise.resolve(start(mixed)))).message).toBe(`one: ${record.id} is gone from EC2`)
    await provider.destroy(record, settings(), () => undefined)
    expect((await kraftErrorOf(Promise.resolve(start(record)))).failure).toMatchObject({
      next: 'Forget it: kraft terminate:one; or make it anew: kraft provision one',
    })
  })
})

describe('destroy', () => {
  test('removes the instance, its group and its key pair, and nothing else', async () => {
    await ec2.send(new CreateSecurityGroupCommand({ GroupName: 'other', Description: 'not ours' }))
    await ec2.send(new ImportKeyPairCommand({ KeyName: 'other', PublicKeyMaterial: Buffer.from(otherKey) }))
    const two = await provider.create(request({ name: 'two' }))
    await account.halt()
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

  test('is fine with what is gone already', async () => {
    const record = await provider.create(request())
    await provider.destroy(record, settings(), () => undefined)
    await provider.destroy(record, settings(), () => undefined)
    await account.reset()
    await provider.destroy(record, settings(), () => undefined)
    expect(await provider.describe(record, settings())).toBe('missing')
  })

  test('refuses an instance that is not the remembered one, and groups and keys of others', async () => {
    const one = await provider.create(request())
    await account.halt()
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

  test('finds the region of the node, wherever the settings point now', async () => {
    const record = await provider.create(request())
    await provider.destroy(record, settings({ location_id: 'us-east-1' }), () => undefined)
    await expectNothing()
  })
})

const expectNothing = async () => expect(await account.holdings()).toEqual(nothing)
const instances = async () => (await account.holdings()).instances
const groups = async () => (await account.holdings()).groups
const keyPairs = async () => (await account.holdings()).keys

function tagsOf(
  of: { Tags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined } | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries((of?.Tags ?? []).map(({ Key = '', Value }) => [Key, Value]))
}
