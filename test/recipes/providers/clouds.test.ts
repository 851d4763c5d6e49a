import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CreateRequest } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { redact } from '../../../engine/shell/redact.js'
import { provider as digitalocean } from '../../../recipes/providers/digitalocean.js'
import { provider as hetzner } from '../../../recipes/providers/hetzner.js'
import { provider as linode } from '../../../recipes/providers/linode.js'
import { provider as openstack } from '../../../recipes/providers/openstack.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../../rig/ec2-node.js'
import { kraftErrorOf } from '../../rig/failure.js'
import { firstLogin, loginAtOnce } from '../../rig/first-login.js'
import { newKey, sayHello } from '../../rig/openssh-client.js'
import { startDigitalOcean } from '../../rig/providers/digitalocean.js'
import { startHetzner } from '../../rig/providers/hetzner.js'
import { startLinode } from '../../rig/providers/linode.js'
import { startOpenstack } from '../../rig/providers/openstack.js'
import type { Vendor } from '../../rig/providers/vendor.js'

let folder: string
let port: number
let publicKey: string
let otherKey: string
let node: BootedNode | undefined
let login: NonNullable<CreateRequest['login']>

beforeAll(async () => {
  for (const name of Object.keys(process.env)) {
    if (/^(OS_|HCLOUD_|LINODE_|DIGITALOCEAN_)/.test(name)) vi.stubEnv(name, undefined)
  }
  await prepareNode()
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-clouds-test-'))
  publicKey = await newKey(folder, 'id')
  otherKey = await newKey(folder, 'other')
  login = await firstLogin(folder)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const all = [
  [hetzner, startHetzner, ['firewall', 'ssh_key']],
  [digitalocean, startDigitalOcean, ['firewall', 'key']],
  [linode, startLinode, [undefined]],
  [openstack, startOpenstack, ['floatingips', 'security-groups']],
] as const

describe.each(all)('$name', (provider, start, kinds) => {
  let vendor: Vendor

  beforeAll(async () => {
    vendor = await start()
  })

  afterAll(() => vendor?.server.stop())

  beforeEach(async () => {
    vendor.reset()
    port = await freePort()
    vendor.server.launched = async (userData) => {
      node = await bootNode(userData, port)
    }
  })

  afterEach(async () => {
    await node?.stop()
    node = undefined
  })

  const settings = (change: Readonly<Record<string, unknown>> = {}) =>
    Object.fromEntries(
      Object.entries({ ...vendor.settings, login: userInfo().username, port, allow_ssh: '127.0.0.0/8', ...change }).filter(
        ([, value]) => value !== undefined,
      ),
    )
  const request = (change: Partial<CreateRequest> = {}): CreateRequest => ({
    name: 'one',
    publicKey,
    settings: settings(),
    progress: () => undefined,
    login: loginAtOnce(() => node),
    ...change,
  })
  const destroy = (record: NodeRecord) => provider.destroy(record, settings(), () => undefined)
  // Two words that all nodes share are of no node.
  const tagsLeft = () => [...(vendor.tags ?? [])].filter((tag) => !['kraftwerk', 'kw-ready'].includes(tag))
  const nothingLeft = () => expect([...vendor.machines.values(), ...vendor.extras.values(), ...tagsLeft()]).toEqual([])

  test('makes a node that answers with the host key that it was given, and lets its user in', async () => {
    const lines: string[] = []
    const record = await provider.create(request({ login, progress: (line) => lines.push(line) }))
    expect(record).toMatchObject({ name: 'one', provider: provider.name, address: '127.0.0.1', port, user: userInfo().username })
    expect(record.host_keys).toEqual([expect.stringMatching(/^ssh-ed25519 \S+$/)])
    expect(record.made).toEqual({ id: expect.stringMatching(/^[0-9a-f]{12}$/), region: vendor.known.region })
    expect(await sayHello(folder, port, record.host_keys)).toBe('hello\n')
    expect(lines[0]).toContain(`Starting ${vendor.known.size} with Debian 12`)
    expect(await provider.describe(record, settings())).toBe('running')
    expect(await provider.list?.(settings())).toEqual([
      { name: 'one', id: record.id, state: 'running', address: expect.any(String) },
    ])
    expect([...vendor.extras.values()].map(({ kind }) => kind).sort()).toEqual(kinds)
    // Its own firewall opens ssh to whom the settings name, and to nobody else.
    const walls = JSON.stringify([...vendor.extras.values()])
    expect(walls).toContain('127.0.0.0/8')
    expect(walls).toMatch(new RegExp(`"${port}"|:${port}[,}]`))
    expect(walls).toContain('443')

    await destroy(record)
    nothingLeft()
    expect(await provider.describe(record, settings())).toBe('missing')
    await destroy(record)
  })

  test('finds what an earlier run made instead of making a second one, also over several pages', async () => {
    for (const name of ['two', 'three', 'four']) {
      await provider.create(request({ name }))
      await node?.stop()
    }
    const first = await provider.create(request())
    expect(await provider.create(request())).toEqual(first)
    expect(vendor.machines.size).toBe(4)
  })

  test('leaves alone a node of the same name that somebody else made, unless it is the one that is remembered', async () => {
    const theirs = await provider.create(request())
    expect(await provider.create(request({ publicKey: otherKey, known: theirs }))).toEqual(theirs)
    await node?.stop()
    // Names of servers are unique in a project of Hetzner's.
    if (vendor.name === 'hetzner') {
      const error = await kraftErrorOf(provider.create(request({ publicKey: otherKey })))
      expect(error.message).toBe('The project has something of this name already: server name is already used')
    } else {
      expect((await provider.create(request({ publicKey: otherKey }))).id).not.toBe(theirs.id)
    }
    expect(vendor.machines.get(theirs.id ?? '')).toBeDefined()
  })

  test('goes on with the machine of a run that was killed, whose host key its marks tell', async () => {
    const stop = new AbortController()
    let told = ''
    vendor.server.launched = async (userData) => {
      told = userData
      stop.abort()
    }
    // A run that may remove nothing leaves the same as one that is killed.
    vendor.server.fail(...vendor.destroy, vendor.says.forbidden)
    const error = await kraftErrorOf(provider.create(request({ signal: stop.signal })))
    expect(error.message).toMatch(/^one: Interrupted\. And what was made for it could not be removed: .* may not do this/)
    expect(vendor.machines.size).toBe(1)

    node = await bootNode(told, port)
    const record = await provider.create(request())
    expect(vendor.machines.size).toBe(1)
    expect(await sayHello(folder, port, record.host_keys)).toBe('hello\n')
    await destroy(record)
    nothingLeft()
  })

  test('removes what it made when the node does not come up, but never one that it had handed over', async () => {
    const stop = new AbortController()
    vendor.server.launched = async () => void setTimeout(() => stop.abort(), 200)
    expect((await kraftErrorOf(provider.create(request({ signal: stop.signal })))).failure.kind).toBe('interrupted')
    nothingLeft()

    vendor.server.launched = async (userData) => {
      node = await bootNode(userData, port)
    }
    const record = await provider.create(request())
    await node?.stop()
    const again = new AbortController()
    setTimeout(() => again.abort(), 300)
    expect((await kraftErrorOf(provider.create(request({ signal: again.signal })))).failure.kind).toBe('interrupted')
    expect([...vendor.machines.keys()]).toEqual([record.id])
  })

  test('makes no second machine where the provider does not list yet what a killed run had made', async () => {
    const first = await provider.create(request())
    await node?.stop()
    const [machine] = vendor.machines.entries()
    vendor.machines.clear()
    vendor.server.launched = async () => {
      if (machine !== undefined) vendor.machines.set(...machine)
    }
    const error = await kraftErrorOf(provider.create(request()))
    expect(error.failure).toMatchObject({
      message: expect.stringMatching(new RegExp(` has this node already as ${first.id}: another run of kraft made it$`)),
      next: expect.stringContaining('kraft provision one'),
    })
    expect([...vendor.machines.keys()]).toEqual([first.id])
  })

  test('removes also the machine whose making had no answer', async () => {
    vendor.server.fail(...vendor.launch, 'lost')
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/ did not answer: /)
    expect(
      vendor.server.calls.filter((each) => vendor.launch[1].test(each.split(' ')[1] ?? '') && /^POST/.test(each)),
    ).toHaveLength(1)
    nothingLeft()
  })

  test('removes what a run left that died before it had a machine', async () => {
    vendor.server.fail(...vendor.launch, vendor.says.limit)
    vendor.server.fail('DELETE', /firewalls|security-groups|keys/, vendor.says.forbidden)
    await kraftErrorOf(provider.create(request()))
    expect(vendor.extras.size).toBeGreaterThan(0)
    await destroy(await provider.create(request()))
    nothingLeft()
  })

  test('refuses a machine that is not the remembered one, and waits for a firewall that is still in use', async () => {
    const record = await provider.create(request())
    const mixed = { ...record, made: { ...record.made, id: '000000000000' } }
    expect((await kraftErrorOf(destroy(mixed))).message).toMatch(/is not the machine that kraft made for this node/)
    const [machine] = vendor.machines.values()
    const before = { ...machine }
    Object.assign(machine ?? {}, vendor.unmarked)
    expect((await kraftErrorOf(destroy(record))).message).toMatch(/its mark is missing/)
    Object.assign(machine ?? {}, before)
    vendor.server.fail('DELETE', /firewalls|security-groups/, vendor.says.busy, 2)
    await destroy(record)
    nothingLeft()
  })

  test('says that a node of this name is stopped', async () => {
    const record = await provider.create(request())
    for (const machine of vendor.machines.values()) Object.assign(machine, vendor.off)
    expect(await provider.describe(record, settings())).toBe('stopped')
    expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/, and it is stopped$/)
  })

  // The others' machines have no such state.
  if (start === startOpenstack) {
    test('tells the fault of a machine that a killed run left, and removes it', async () => {
      vendor.server.launched = async () => undefined
      const stop = new AbortController()
      vendor.server.fail(...vendor.destroy, vendor.says.forbidden)
      setTimeout(() => stop.abort(), 300)
      await kraftErrorOf(provider.create(request({ signal: stop.signal })))
      for (const machine of vendor.machines.values()) {
        Object.assign(machine, { status: 'ERROR', fault: { message: 'No valid host was found.' } })
      }
      const error = await kraftErrorOf(provider.create(request()))
      expect(error.failure).toMatchObject({
        message: expect.stringMatching(/ gave up on \S+: No valid host was found\.$/),
        next: expect.stringContaining('size_id'),
      })
      nothingLeft()
    })
  }

  test('waits where it is asked to, repeats what failed for a moment, and gives up on what stays broken', async () => {
    vendor.server.fail(...vendor.list, vendor.says.tooOften, 2)
    vendor.server.fail(...vendor.list, { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad Gateway</h1>' })
    vendor.server.fail(...vendor.launch, vendor.says.tooOften)
    await provider.create(request())
    expect(vendor.machines.size).toBe(1)

    vendor.server.fail(...vendor.list, { ...vendor.says.tooOften, headers: { 'Retry-After': '3600' } })
    expect((await kraftErrorOf(provider.list?.(settings()) ?? Promise.resolve())).failure.kind).toBe('task')
    vendor.server.fail(...vendor.list, { status: 200, body: { strange: true } })
    const strange = await kraftErrorOf(provider.list?.(settings()) ?? Promise.resolve())
    expect(strange.message).toMatch(/something unexpected/)
    expect(strange.failure).toMatchObject({ next: expect.stringContaining('is endpoint right?') })
    vendor.server.fail(...vendor.list, { status: 418, body: {} })
    const odd = await kraftErrorOf(provider.list?.(settings()) ?? Promise.resolve())
    expect(odd.failure).toMatchObject({
      message: expect.stringMatching(/ refused: status 418/),
      next: expect.stringContaining('kraft config'),
    })
  })

  test('lists images, sizes and regions, page after page', async () => {
    const { image, size, region } = vendor.known
    expect((await provider.images?.(settings()))?.map(({ id }) => id)).toContain(image)
    const sizes = (await provider.sizes?.(settings())) ?? []
    expect(sizes.length).toBe(3)
    expect(sizes.map(({ id }) => id)).toContain(size)
    expect([...sizes].sort((a, b) => a.memory - b.memory)).toEqual(sizes)
    // Nobody has to know a region to ask for them.
    expect((await provider.regions?.(settings({ location_id: undefined })))?.map(({ id }) => id)).toContain(region)
  })

  describe('explains', () => {
    test('wrong credentials, without showing them', async () => {
      const error = await kraftErrorOf(provider.create(request({ settings: settings({ secret: 'wr0ng-c4nary' }) })))
      expect(error.failure).toMatchObject({ kind: 'usage', next: expect.stringMatching(/~\/\.kraftwerk\.yaml/) })
      expect(error.message).toMatch(/ refused your (API token|access token|credentials): /)
      expect(JSON.stringify([error, error.stack, error.cause, error.failure])).not.toContain('wr0ng-c4nary')
      expect(redact('wr0ng-c4nary')).toBe('[secret]')
    })

    test('a limit of the account, and leaves nothing', async () => {
      vendor.server.fail(...vendor.launch, vendor.says.limit)
      const error = await kraftErrorOf(provider.create(request()))
      expect(error.message).toMatch(/^Your account at .* has reached a limit: /)
      nothingLeft()
    })

    test('a lack of rights', async () => {
      vendor.server.fail(...vendor.launch, vendor.says.forbidden)
      expect((await kraftErrorOf(provider.create(request()))).message).toMatch(/^Your .* may not do this at /)
      nothingLeft()
    })

    const words = [
      ['image', 'image_id'],
      ['size', 'size_id'],
      ['region', 'location_id'],
    ] as const
    test.each(words)('an unknown %s, with the nearest one', async (what, key) => {
      const error = await kraftErrorOf(provider.create(request({ settings: settings({ [key]: vendor.misspelt[what] }) })))
      expect(error.message).toContain(`The provider ${provider.name} has no ${what} ${vendor.misspelt[what]}.`)
      expect(error.message).toContain(vendor.known[what])
      expect(error.failure).toMatchObject({ kind: 'usage', next: expect.stringContaining(key) })
      nothingLeft()
    })

    test('what it has not been told, with the keys and the variables', async () => {
      const bare = settings({ secret: undefined })
      expect(provider.missing?.(bare)).toEqual([{ key: 'secret', variables: expect.any(Array) }])
      const error = await kraftErrorOf(provider.create(request({ settings: bare })))
      const [variable] = provider.missing?.(bare)[0]?.variables ?? []
      expect(error.failure).toMatchObject({
        kind: 'usage',
        message: `The provider ${provider.name} needs secret`,
        next: expect.stringContaining(`KRAFT_${provider.name.toUpperCase()}_SECRET or ${variable}`),
      })
      vi.stubEnv(variable ?? '', vendor.secret)
      expect(provider.missing?.(bare)).toEqual([])
      expect(await provider.list?.(bare)).toEqual([])
      vi.stubEnv(variable ?? '', undefined)
    })

    test('a server that nobody listens on', async () => {
      const away = `http://127.0.0.1:${await freePort()}`
      const error = await kraftErrorOf(provider.list?.(settings({ endpoint: away, auth_url: away })) ?? Promise.resolve())
      expect(error.message).toMatch(new RegExp(`^${away} did not answer: .*ECONNREFUSED`))
    })
  })
})
