import { readFile, rm, stat, symlink } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { kraft } from '../rig/cli.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../rig/ec2-node.js'
import { freshHome } from '../rig/home.js'
import { startHetzner } from '../rig/providers/hetzner.js'
import type { Vendor } from '../rig/providers/vendor.js'
import { kraftInTerminal } from '../rig/terminal.js'

const at = freshHome()
const kept = (name: string) => readFile(join(at.home, name), 'utf8').catch(() => undefined)

describe('the questionnaire', () => {
  let vendor: Vendor
  let node: BootedNode | undefined
  let port: number

  beforeAll(async () => {
    await prepareNode()
    vendor = await startHetzner()
    vendor.server.launched = async (userData) => {
      node = await bootNode(userData, port)
    }
  })
  afterAll(() => vendor?.server.stop())
  beforeEach(async () => {
    vendor.reset()
    port = await freePort()
    await at.write('hosts', '127.0.0.1 localhost\n')
  })
  afterEach(() => node?.stop())

  const provision = (more: Readonly<Record<string, string>> = {}) =>
    kraftInTerminal(['provision', 'live1', '--provider', 'hetzner'], {
      cwd: at.project,
      env: {
        ...more,
        HOME: at.home,
        KRAFT_HOSTS_FILE: join(at.home, 'hosts'),
        KRAFT_HETZNER_ENDPOINT: vendor.server.url,
        KRAFT_HETZNER_PORT: String(port),
        KRAFT_HETZNER_LOGIN: userInfo().username,
        HCLOUD_TOKEN: more.HCLOUD_TOKEN ?? '',
      },
    })

  test('asks for the token and the place, keeps both where they are wanted, and there is a node', async () => {
    const terminal = await provision()
    await terminal.sees('The provider hetzner has to know more. Ctrl-C leaves everything as it is.')
    await terminal.sees(/secret: .*HCLOUD_TOKEN would say it, too/)
    terminal.type(`${vendor.secret}\r`)
    await terminal.sees('fsn1  Falkenstein')
    await terminal.sees('location_id: Where the node is')
    terminal.type('fsn2\r')
    await terminal.sees('"fsn2" is no location_id')
    terminal.type('fsn1\r')
    await terminal.sees('Keep secret and location_id in ~/.kraftwerk.yaml, which only you can read then?')
    terminal.type('y')
    await terminal.sees('Add "127.0.0.1 live1" to')
    terminal.type('y')
    await terminal.sees('so that ssh live1 works?')
    terminal.type('n')
    await terminal.sees(`live1 is at 127.0.0.1 (${userInfo().username}@, hetzner)`)
    expect(await terminal.ended()).toBe(0)
    expect(terminal.seen()).not.toContain(vendor.secret)
    expect(parse((await kept('.kraftwerk.yaml')) ?? '')).toEqual({ hetzner: { secret: vendor.secret, location_id: 'fsn1' } })
    expect((await stat(join(at.home, '.kraftwerk.yaml'))).mode & 0o777).toBe(0o600)
    expect(await kept('hosts')).toContain('127.0.0.1 live1 # kraft')
    expect(parse((await kept('.kraftwerk/nodes.yaml')) ?? '')).toMatchObject({ live1: { provider: 'hetzner', port } })
    expect(vendor.machines.size).toBe(1)
  })

  test('that is left with Ctrl-C has made and kept nothing', async () => {
    const terminal = await provision()
    await terminal.sees('secret: ')
    terminal.type(`${vendor.secret}\r`)
    await terminal.sees('location_id: ')
    terminal.type('\x03')
    await terminal.sees('Stopped at a question; nothing was changed')
    expect([await terminal.ended(), await kept('.kraftwerk.yaml'), vendor.machines.size]).toEqual([130, undefined, 0])
  })

  test('Ctrl-C while a machine is made waits until it is removed again', async () => {
    const { launched } = vendor.server
    // A machine whose sshd never answers.
    vendor.server.launched = async () => undefined
    try {
      const terminal = await provision({ HCLOUD_TOKEN: vendor.secret, KRAFT_HETZNER_LOCATION_ID: 'fsn1' })
      await terminal.sees('Waiting for sshd at')
      expect(vendor.machines.size).toBe(1)
      terminal.type('\x03')
      await terminal.sees('Undoing what was begun')
      expect([await terminal.ended(), vendor.machines.size]).toEqual([130, 0])
      expect(stripVTControlCharacters(terminal.seen())).toContain('error: Interrupted')
    } finally {
      vendor.server.launched = launched
    }
  })
})

test('a node of a provider that is on this machine is remembered there, also in a project, and any other beside it', async () => {
  await at.write('calculator/kraftwerk.yaml', 'wsgi: calculator.wsgi:application\n')
  const shelf = (name: string, more: string) => `export const ${name} = provider({ name: '${name}', doc: 'ours', ${more}
  create: async ({ name }) => ({ name, provider: '${name}', address: '127.0.0.1', user: 'root', host_keys: [] }),
  describe: async () => 'running', destroy: async () => undefined })\n`
  const here = shelf('here', 'onThisMachine: true,')
  await at.write('calculator/kraftfile.ts', `import { provider } from 'kraftwerk'\n${here}${shelf('away', '')}`)
  for (const name of ['here', 'away']) {
    const { code, stderr } = await kraft(['provision', `${name}1`, '--provider', name], {
      cwd: at.project,
      env: { HOME: at.home },
    })
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')])
  }
  expect(Object.keys(parse((await kept('.kraftwerk/nodes.yaml')) ?? ''))).toEqual(['here1'])
  expect(Object.keys(parse((await kept('calculator/nodes.yaml')) ?? ''))).toEqual(['away1'])
})

/** A kraftfile whose provider makes a node, and does something before it says so. */
const shelf = (code: string) => `import { provider } from 'kraftwerk'
import { writeFileSync } from 'node:fs'
export const shelf = provider({ name: 'shelf', doc: 'ours',
  create: async ({ name }) => { ${code}; return { name, provider: 'shelf', id: 's1', address: '192.0.2.7', user: 'root', host_keys: [] } },
  describe: async () => 'running', destroy: async () => undefined })\n`

test('a node that can not be remembered is told with its address, because it is there and costs', async () => {
  await at.write('calculator/kraftwerk.yaml', 'wsgi: calculator.wsgi:application\n')
  await at.write('calculator/kraftfile.ts', shelf(`writeFileSync('nodes.yaml', '- broken')`))
  const words = ['provision', 'live1', '--provider', 'shelf']
  const { code, stderr } = await kraft(words, { cwd: at.project, env: { HOME: at.home } })
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /error: live1 runs at 192\.0\.2\.7, and could not be remembered: .*nodes\.yaml:1:1: .*\nnext: .*kraft provision live1/,
    ),
  ])
})

test('a node that was made outside a project is found again inside, and stays where it is remembered', async () => {
  await at.write('kraftfile.ts', shelf(''))
  const provision = (cwd: string) => kraft(['provision', 'live1', '--provider', 'shelf'], { cwd, env: { HOME: at.home } })
  expect((await provision(at.home)).code).toBe(0)
  await at.write('calculator/kraftwerk.yaml', 'wsgi: calculator.wsgi:application\n')
  await at.write('calculator/kraftfile.ts', shelf(''))
  expect(await provision(at.project)).toMatchObject({ code: 0 })
  expect([await kept('calculator/nodes.yaml'), await kept('.kraftwerk/nodes.yaml')]).toEqual([
    undefined,
    expect.stringContaining('live1'),
  ])
})

test('terminate takes all names of a node out, and one that can not be taken out leaves nothing else undone', async () => {
  const hosts = await at.write('hosts', '127.0.0.1 localhost\n192.0.2.7 shop.example.com # kraft\n')
  await at.write('calculator/kraftfile.ts', shelf(''))
  const run = (...words: string[]) =>
    kraft([...words, '--yes'], { cwd: at.project, env: { HOME: at.home, KRAFT_HOSTS_FILE: hosts } })
  await run('provision', 'one', '--provider', 'shelf')
  expect(await kept('.kraftwerk/ssh_config')).toContain('Host one')
  await symlink('/nowhere/at/all', `${hosts}.kraft`)
  const { code, stderr } = await run('terminate:one')
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/one is gone; its name is not\n[\s\S]*next: +Take out of it: .*192\.0\.2\.7 one # kraft/),
  ])
  expect(await kept('.kraftwerk/ssh_config')).not.toContain('Host one')
  expect(await kept('.kraftwerk/nodes.yaml')).not.toContain('one')

  await rm(`${hosts}.kraft`)
  await run('provision', 'one', '--provider', 'shelf')
  expect(await run('terminate:one')).toMatchObject({ code: 0 })
  expect(await kept('hosts')).toBe('127.0.0.1 localhost\n')
})
