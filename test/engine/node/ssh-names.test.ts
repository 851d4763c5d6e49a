import { execFile } from 'node:child_process'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { forget, remember } from '../../../engine/node/inventory.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { noteAsked, wasAsked, writeSshNames } from '../../../engine/node/ssh-names.js'
import { nodesConfig, nodesKnownHosts } from '../../../engine/ssh/include.js'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import { freshHome } from '../../rig/home.js'

const at = freshHome()
const key = generateHostKey('').publicKey.trim()
const record = (name: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  name,
  provider: 'static',
  address: '203.0.113.7',
  user: 'root',
  host_keys: [key],
  ...more,
})
const none = () => undefined

/** What the real ssh takes for a host. */
async function ssh(name: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await promisify(execFile)('ssh', ['-G', '-F', nodesConfig(), name])
  return new Map(stdout.split('\n').map((row) => [row.split(' ', 1)[0] ?? '', row.slice(row.indexOf(' ') + 1)]))
}

beforeEach(() => remember(record('one', { address: 'fe80::1%eth0', port: 2222, user: 'admin' }), at.project))

describe('ssh finds a node by its name', () => {
  it('with address, port, user, its key file and nothing but its own host keys', async () => {
    await writeSshNames(at.project, () => join(at.home, 'my keys', '100%'))
    const options = await ssh('one')
    expect(Object.fromEntries(options)).toMatchObject({
      hostname: 'fe80::1%eth0',
      port: '2222',
      user: 'admin',
      hostkeyalias: 'one.kraftwerk',
      userknownhostsfile: nodesKnownHosts(),
      stricthostkeychecking: 'true',
      identityfile: join(at.home, 'my keys', '100%%'),
    })
    expect(await readFile(nodesKnownHosts(), 'utf8')).toContain(`\none.kraftwerk ${key}\n`)
    expect((await ssh('two')).get('hostname')).toBe('two')
  })

  it('and nobody else can read or write the files', async () => {
    await writeSshNames(at.project, none)
    for (const file of [nodesConfig(), nodesKnownHosts()]) expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('also one whose name has capitals, as known_hosts has none', async () => {
    await remember(record('One-B'), at.project)
    await writeSshNames(at.project, none)
    expect((await ssh('One-B')).get('hostkeyalias')).toBe('one-b.kraftwerk')
  })

  it('and does not forbid new hosts where no key is remembered', async () => {
    await remember(record('bare', { host_keys: [] }), at.project)
    await writeSshNames(at.project, none)
    expect((await ssh('bare')).get('stricthostkeychecking')).toBe('ask')
  })
})

describe('several projects', () => {
  it('keep their nodes, and of two of one name the one counts that was written last', async () => {
    await writeSshNames(at.project, none)
    const other = join(at.home, 'other')
    await at.write('other/kraftwerk.yaml', '')
    await remember(record('one', { address: '198.51.100.2' }), other)
    await remember(record('two'), other)
    await writeSshNames(other, none)
    expect((await ssh('one')).get('hostname')).toBe('198.51.100.2')
    await writeSshNames(at.project, none)
    expect((await ssh('one')).get('hostname')).toBe('fe80::1%eth0')
    expect((await ssh('two')).get('hostname')).toBe('203.0.113.7')
    await rm(other, { recursive: true })
    await writeSshNames(at.project, none)
    expect(await readFile(nodesConfig(), 'utf8')).not.toContain(other)
  })

  it('one whose nodes.yaml is broken comes back when it is mended, and stops nobody', async () => {
    await writeSshNames(at.project, none)
    const file = join(at.project, 'nodes.yaml')
    const before = await readFile(file, 'utf8')
    await writeFile(file, 'one: [')
    await writeSshNames(undefined, none)
    expect((await ssh('one')).get('hostname')).toBe('one')
    await writeFile(file, before)
    await writeSshNames(undefined, none)
    expect((await ssh('one')).get('port')).toBe('2222')
  })
})

it('a node that is forgotten is gone, with its keys', async () => {
  await writeSshNames(at.project, none)
  await forget('one', at.project)
  await writeSshNames(at.project, none)
  expect((await ssh('one')).get('hostname')).toBe('one')
  expect(await readFile(nodesKnownHosts(), 'utf8')).not.toContain('one.kraftwerk')
})

it('that a person was asked is remembered, whatever is written later', async () => {
  await writeSshNames(at.project, none)
  expect(await wasAsked()).toBe(false)
  await noteAsked()
  await writeSshNames(at.project, none)
  expect(await wasAsked()).toBe(true)
  expect((await ssh('one')).get('port')).toBe('2222')
})
