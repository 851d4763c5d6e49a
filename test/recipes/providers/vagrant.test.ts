import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseSshConfig, parseState } from '../../../recipes/providers/vagrant/program.js'
import { provider } from '../../../recipes/providers/vagrant.js'
import { kraftErrorOf } from '../../rig/failure.js'
import { newKey, sayHello } from '../../rig/openssh-client.js'
import { fakeVagrant } from '../../rig/providers/vagrant.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

// Not the real thing: a program in its place, whose machine is a real sshd.
let home: string
let machine: string
let publicKey: string
let sshd: Sshd
const work = { settings: {}, progress: () => undefined }

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraft-vagrant-'))
  machine = join(home, 'machine')
  sshd = await startSshd()
  publicKey = await newKey(home, 'id')
  vi.stubEnv('HOME', home)
  vi.stubEnv('PATH', `${await fakeVagrant(home, machine, sshd.port)}:${process.env.PATH}`)
  await copyFile(join(sshd.folder, 'host_second.pub'), join(machine, 'etc/ssh/ssh_host_ecdsa_key.pub'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await sshd.stop()
  await rm(home, { recursive: true, force: true })
})

const create = (settings: Record<string, unknown> = {}) =>
  provider.create({ name: 'one', publicKey, settings, progress: () => undefined })
const folder = () => join(home, '.kraftwerk/vagrant/one')

test('a machine is made once, lets the key in, shows its own host key, is started again and leaves nothing', async () => {
  const node = await create({ box: 'debian/trixie64', memory: 4096, machine: 'libvirt' })
  expect(node).toMatchObject({ provider: 'vagrant', address: '127.0.0.1', port: sshd.port, user: 'vagrant', id: folder() })
  expect(node.host_keys).toEqual([sshd.hostKeys[1]?.split(' ').slice(0, 2).join(' ')])
  const file = await readFile(join(folder(), 'Vagrantfile'), 'utf8')
  expect(file).toContain("config.vm.box = 'debian/trixie64'")
  expect(file).toContain('machine.memory = 4096')
  expect(await readFile(join(machine, 'called'), 'utf8')).toMatch(/^up --provider libvirt\n/)

  // The key that Vagrant let in is one that the sshd takes, and the host key is one that OpenSSH finds there.
  await unlink(join(sshd.folder, 'authorized_keys'))
  await symlink(join(machine, 'home/.ssh/authorized_keys'), join(sshd.folder, 'authorized_keys'))
  expect(await sayHello(home, sshd.port, node.host_keys)).toBe('hello\n')

  expect(await create()).toEqual(node)
  expect((await readFile(join(machine, 'home/.ssh/authorized_keys'), 'utf8')).trim()).toBe(publicKey.trim())
  expect(await provider.list?.({})).toEqual([{ name: 'one', id: folder(), state: 'running' }])

  await writeFile(join(folder(), '.vagrant/state'), 'poweroff\n')
  expect(await provider.describe(node, {})).toBe('stopped')
  expect(await provider.start?.({ ...node, port: 1 }, work)).toEqual(node)
  expect(await provider.describe(node, {})).toBe('running')

  await provider.destroy(node, {}, () => undefined)
  expect(existsSync(folder())).toBe(false)
  expect(await provider.describe(node, {})).toBe('missing')
  expect((await kraftErrorOf(provider.start?.(node, work) ?? Promise.resolve())).failure).toMatchObject({
    message: expect.stringContaining('its machine is gone'),
  })
})

test('what fails is shown with what Vagrant said, and is undone', async () => {
  await writeFile(join(machine, 'broken'), '')
  expect((await kraftErrorOf(create())).failure).toMatchObject({ command: 'vagrant up', output: 'The box could not be found.' })
  expect(existsSync(folder())).toBe(false)
})

test('without Vagrant that is said, with what to do, and nothing is left', async () => {
  vi.stubEnv('PATH', machine)
  expect((await kraftErrorOf(create())).failure).toMatchObject({
    message: 'Vagrant is not installed on this machine',
    next: expect.stringContaining('Install it'),
  })
  expect(existsSync(folder())).toBe(false)
})

test('what could break out of the Vagrantfile is refused before anything is written', async () => {
  await expect(create({ box: "x'; system('true') #" })).rejects.toThrow('the name of a box')
  expect(
    (await kraftErrorOf(provider.create({ name: "a'b", publicKey, settings: {}, progress: () => undefined }))).failure.kind,
  ).toBe('usage')
  expect(existsSync(join(home, '.kraftwerk'))).toBe(false)
})

test.each([
  ['running', 'running'],
  ['poweroff', 'stopped'],
  ['saved', 'stopped'],
  ['shutoff', 'stopped'],
  ['not_created', 'missing'],
])('the state %s means %s', (said, means) => {
  expect(parseState(`1764385200,default,provider-name,virtualbox\n1764385200,default,state,${said}\n`)).toBe(means)
})

test('an ssh-config without an address is an error', () => {
  expect(() => parseSshConfig('Host default\n', 'one')).toThrow('says no address')
})
