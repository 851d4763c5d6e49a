import { execFile } from 'node:child_process'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { NodeRecord } from '../../../engine/node/record.js'
import { sh } from '../../../engine/shell/sh.js'
import { buildImage } from '../../../recipes/providers/local/image.js'
import { bridgeName } from '../../../recipes/providers/local/names.js'
import { asRoot } from '../../../recipes/providers/local/root.js'
import { removeState, stateFrom } from '../../../recipes/providers/local/state.js'
import { provider } from '../../../recipes/providers/local.js'
import { breakImage, mendImage } from '../../rig/broken-image.js'
import { kraftErrorOf } from '../../rig/failure.js'

// The image and the package caches stay for the next run, everything else is removed, also after a run that crashed.
const state = stateFrom(process.env)
const bridge = bridgeName(state)
const execute = promisify(execFile)
let folder: string
let publicKey: string
const work = { settings: {}, progress: () => undefined }

beforeAll(async () => {
  await removeState(state)
  folder = await mkdtemp(join(tmpdir(), 'kraft-local-'))
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  publicKey = await readFile(join(folder, 'key.pub'), 'utf8')
})

beforeEach(() => removeState(state))

afterAll(async () => {
  await removeState(state)
  await rm(folder, { recursive: true, force: true })
})

const create = (name: string, settings: Record<string, unknown> = {}) =>
  provider.create({ name, publicKey, settings, progress: () => undefined })

const describeNode = (node: NodeRecord) => provider.describe(node, {})

const destroy = (node: NodeRecord) => provider.destroy(node, {}, () => undefined)

async function ssh(node: NodeRecord, command: string): Promise<string> {
  const known = join(folder, `known-${node.name}`)
  await writeFile(known, node.host_keys.map((key) => `${node.address} ${key}\n`).join(''))
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${known}`, 'GlobalKnownHostsFile=/dev/null']
  const given = ['-F', 'none', '-i', join(folder, 'key'), ...options.flatMap((option) => ['-o', option])]
  return (await execute('ssh', [...given, `${node.user}@${node.address}`, command])).stdout.trim()
}

/** What this machine still has of the state's nodes. */
async function remains(): Promise<string> {
  const found = await asRoot(
    'Look for remains',
    sh`
      ip -o link | grep -o ${`${bridge}[0-9a-f]*`} || :
      ip route | grep -F ${`${state.subnet}.`} || :
      ls -d /run/netns/${bridge}* /sys/fs/cgroup/${bridge}* /sys/fs/cgroup/*/${bridge}* 2>/dev/null || :
      grep -F ${state.root}/ /proc/mounts || :
      ls -d ${state.root}/nodes/* ${state.root}/addresses/* ${state.root}/run/* 2>/dev/null || :
      for each in /proc/[0-9]*; do tr '\0' ' ' <$each/cmdline 2>/dev/null | grep -F ${state.root}/ | grep -vF script= || :; done`,
  )
  return found.stdout.trim()
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited 30 s in vain until ${what}`)
    await pause(50)
  }
}

const failure = async (attempt: Promise<unknown>) => (await kraftErrorOf(attempt)).failure

const killPid = (name: string, file: string) => asRoot('Kill', sh`kill -KILL "$(cat ${state.root}/run/${name}/${file})"`)

test('a node is a Debian server with systemd, apt and pip, survives a reboot, and leaves nothing when destroyed', async () => {
  const node = await create('whole')
  expect(node).toMatchObject({ name: 'whole', provider: 'local', user: 'root', made: { state: state.root } })
  expect(node.host_keys).toEqual([expect.stringMatching(/^ssh-ed25519 AAAA/)])
  expect(await describeNode(node)).toBe('running')
  expect(await ssh(node, 'hostname; cat /proc/1/comm; . /etc/os-release; echo $VERSION_CODENAME $LANG')).toBe(
    'whole\nsystemd\nbookworm C.UTF-8',
  )
  await ssh(
    node,
    'apt-get -q update -o APT::Update::Error-Mode=any && apt-get -qq install -y --no-install-recommends python3-pip',
  )
  expect(await ssh(node, 'cd /tmp && pip download -q --no-cache-dir --no-deps iniconfig==2.0.0 && ls *.whl')).toBe(
    'iniconfig-2.0.0-py3-none-any.whl',
  )
  expect(await ssh(node, 'ip route get 192.0.2.1 2>&1 || :')).toMatch(/unreachable/i)

  const boot = await ssh(node, 'systemctl show -p UserspaceTimestampMonotonic --value; touch /kept')
  await ssh(node, 'systemctl reboot').catch(() => 'the connection ends')
  await until('the node is up again', async () => {
    const now = await ssh(node, 'systemctl show -p UserspaceTimestampMonotonic --value').catch(() => boot)
    return now !== boot
  })
  expect(await ssh(node, 'ls /kept')).toBe('/kept')

  await destroy(node)
  expect(await describeNode(node)).toBe('missing')
  expect(await remains()).toBe('')
  await destroy(node)
})

test('a node for a sudo user has that login, with sudo that asks for no password', async () => {
  const node = await create('sudoer', { user: 'debian' })
  expect(node.user).toBe('debian')
  expect(await ssh(node, 'id -un; sudo -n id -un')).toBe('debian\nroot')
})

test('nodes made at once get addresses of their own, and the mirrors stay until the last one is gone', async () => {
  const nodes = await Promise.all(['a', 'b', 'c'].map((name) => create(name)))
  expect(new Set(nodes.map((node) => node.address)).size).toBe(3)
  expect(await Promise.all(nodes.map((node) => ssh(node, 'hostname')))).toEqual(['a', 'b', 'c'])
  const [first, second, last] = nodes
  if (first === undefined || second === undefined || last === undefined) throw new Error('Three nodes were made')
  await Promise.all([destroy(first), destroy(second)])
  expect(await ssh(last, 'apt-get -q update -o APT::Update::Error-Mode=any >/dev/null && echo fetched')).toBe('fetched')
  await destroy(last)
  expect(await remains()).toBe('')
})

test('create finds the node that an interrupted run made, and refuses one that was made with another key', async () => {
  const node = await create('again')
  expect(await create('again')).toEqual(node)
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'other')])
  const otherKey = await readFile(join(folder, 'other.pub'), 'utf8')
  const refusal = await failure(provider.create({ name: 'again', publicKey: otherKey, settings: {}, progress: () => undefined }))
  expect(refusal).toMatchObject({ kind: 'task', message: expect.stringContaining('another key') })
  expect(await ssh(node, 'hostname')).toBe('again')
})

test('a run that is interrupted while the node boots undoes it', async () => {
  const controller = new AbortController()
  const attempt = failure(
    provider.create({ name: 'cut', publicKey, settings: {}, progress: () => undefined, signal: controller.signal }),
  )
  await until('it boots', () =>
    access(join(state.root, 'run/cut/pid')).then(
      () => true,
      () => false,
    ),
  )
  controller.abort()
  expect((await attempt).kind).toBe('interrupted')
  expect(await remains()).toBe('')
})

test('the wrong name or setting is refused before anything is made', async () => {
  expect((await failure(create('No.Such'))).kind).toBe('usage')
  expect(await remains()).toBe('')
})

describe('a node whose processes were killed', () => {
  test('goes on without its supervisor and starts again after its PID 1 is gone', async () => {
    const node = await create('hurt')
    await ssh(node, 'touch /kept')
    await killPid('hurt', 'supervisor')
    expect(await describeNode(node)).toBe('running')
    await killPid('hurt', 'pid')
    await until('it is stopped', async () => (await describeNode(node)) === 'stopped')
    await provider.start?.(node, work)
    expect(await ssh(node, 'ls /kept')).toBe('/kept')
    expect(await describeNode(node)).toBe('running')
  })

  test('starts again when this machine lost everything but its files, as after a reboot', async () => {
    const node = await create('rebooted')
    await ssh(node, 'touch /kept')
    await asRoot(
      'Lose what a reboot loses',
      sh`
        for each in pid supervisor; do kill -KILL "$(cat ${state.root}/run/rebooted/$each)" || :; done
        for each in apt pip; do kill -KILL "$(cat ${state.root}/$each/pid)"; done
        sleep 1
        umount ${state.root}/nodes/rebooted/root
        ip netns del ${node.id ?? ''}
        ip link del ${bridge}`,
    )
    expect(await describeNode(node)).toBe('stopped')
    await provider.start?.(node, work)
    expect(await ssh(node, 'ls /kept && apt-get -q update -o APT::Update::Error-Mode=any >/dev/null && echo fetched')).toBe(
      '/kept\nfetched',
    )
    await destroy(node)
    expect(await remains()).toBe('')
  })
})

describe('a node that cannot boot', () => {
  beforeAll(() => breakImage(state))
  afterAll(() => mendImage(state))

  test('is an error with its console, and is removed', async () => {
    const error = await failure(create('broken', { image: 'trixie' }))
    expect(error).toMatchObject({
      kind: 'task',
      node: 'broken',
      output: expect.stringMatching(/os-release|OS tree|root directory/),
    })
    expect(await remains()).toBe('')
  })
})

test('a release whose mirror does not answer is an error that names it, and leaves no image', async () => {
  const nowhere = { root: join(folder, 'unfetched'), subnet: state.subnet }
  vi.stubEnv('http_proxy', 'http://127.0.0.1:9')
  try {
    expect(await failure(buildImage(nowhere, 'noble', () => undefined))).toMatchObject({
      message: expect.stringMatching(/^Ubuntu noble can't be fetched: its mirror \S+ does not answer$/),
    })
  } finally {
    vi.unstubAllEnvs()
  }
  expect((await asRoot('Look', sh`ls ${nowhere.root}/images 2>/dev/null || :`)).stdout).toBe('')
})

test('nodes of another folder on the same network stay as they are: no node is made there, and cleaning up leaves them', async () => {
  const node = await create('own')
  const other = { root: join(folder, 'another-state'), subnet: state.subnet }
  const before = process.env.KRAFT_LOCAL_STATE
  process.env.KRAFT_LOCAL_STATE = other.root
  try {
    expect(await failure(create('own'))).toMatchObject({ message: expect.stringContaining('of another folder') })
    await removeState(other)
  } finally {
    process.env.KRAFT_LOCAL_STATE = before
  }
  expect(await ssh(node, 'hostname')).toBe('own')
})

test('a network that something else uses is refused and left alone', async () => {
  await asRoot(
    'Take the network',
    sh`ip link add other-net21 type bridge && ip addr add ${`${state.subnet}.7/24`} dev other-net21`,
  )
  try {
    expect(await failure(create('elsewhere'))).toMatchObject({
      message: expect.stringContaining('for something else'),
      next: expect.stringContaining('KRAFT_LOCAL_SUBNET'),
    })
  } finally {
    await asRoot('Give the network back', sh`ip link del other-net21`)
  }
  expect(await remains()).toBe('')
})

test('what a node installed comes from the cache the second time, also after the mirrors were stopped', async () => {
  const fetch = 'pip download -q --no-cache-dir --no-deps -d /tmp/got django==5.2'
  const first = await create('warm')
  await ssh(first, 'apt-get -q update >/dev/null && apt-get -qq install -y --no-install-recommends python3-pip')
  await ssh(first, fetch)
  await destroy(first)
  const cache = await asRoot('Look into the cache', sh`find ${state.root}/pip/cache -iname 'django-5.2-*.whl' -printf '%T@ %p\n'`)
  expect(cache.stdout).toContain('jango-5.2-')

  const second = await create('warm')
  await ssh(second, 'apt-get -q update >/dev/null && apt-get -qq install -y --no-install-recommends python3-pip')
  await ssh(second, fetch)
  expect(
    (await asRoot('Look into the cache', sh`find ${state.root}/pip/cache -iname 'django-5.2-*.whl' -printf '%T@ %p\n'`)).stdout,
  ).toBe(cache.stdout)
})
