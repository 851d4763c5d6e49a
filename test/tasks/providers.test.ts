import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { keepSettings } from '../../engine/config/keep-settings.js'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { fingerprint, fromLine } from '../../engine/ssh/public-key.js'
import { placeOf } from '../../tasks/adopt.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../rig/ec2-node.js'
import { freshHome } from '../rig/home.js'
import { startHetzner } from '../rig/providers/hetzner.js'
import type { Vendor } from '../rig/providers/vendor.js'
import { inTerminal } from '../rig/terminal.js'

const exec = promisify(execFile)
const kraft = join(import.meta.dirname, '../../dist/kraft.js')
const at = freshHome()
let vendor: Vendor
let node: BootedNode | undefined

beforeAll(async () => {
  await prepareNode()
  vendor = await startHetzner()
})
afterAll(() => vendor?.server.stop())
beforeEach(() => vendor.reset())
afterEach(async () => {
  await node?.stop()
  node = undefined
})

function environ(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: at.home, KRAFT_HOSTS_FILE: join(at.home, 'hosts'), ...more }
}

async function run(words: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const options = { cwd: at.project, env: environ({ CI: 'true', ...more }) }
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [kraft, ...words], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

test('images, sizes and regions list what a provider offers, only what has the words', async () => {
  const given = { KRAFT_PROVIDER: 'hetzner', HCLOUD_TOKEN: vendor.secret, KRAFT_HETZNER_ENDPOINT: vendor.server.url }
  expect((await run(['images', 'DEBIAN', '12', '--json'], given)).stdout).toContain('debian-12')
  expect((await run(['images', 'debian', '11'], given)).stdout).toBe('No images fit; without words hetzner has 4\n')
  expect((await run(['sizes'], given)).stdout).toMatch(/^cx23 +2 +4 GB +40 GB +3\.29 EUR a month +x86$/m)
  expect((await run(['sizes', '--set', 'location_id=fsn1'], given)).stdout).not.toContain('cx53')
  expect((await run(['regions'], given)).stdout).toMatch(/^fsn1 +Falkenstein, DE$/m)
  const none = await run(['sizes', '--provider', 'static'], given)
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('The provider static has no sizes') })
})

test('without a terminal what is missing is named with its keys and variables, and nothing is asked', async () => {
  const { code, stderr } = await run(['provision', 'one', '--provider', 'hetzner'])
  expect(code).toBe(2)
  expect(stderr).toContain('The provider hetzner needs secret and location_id')
  expect(stderr).toContain('KRAFT_HETZNER_SECRET or HCLOUD_TOKEN; KRAFT_HETZNER_LOCATION_ID')
})

test('on a terminal kraft asks for what a provider lacks, and keeps it where nobody else can read it', async () => {
  const env = environ({ KRAFT_HETZNER_ENDPOINT: vendor.server.url, TERM: 'xterm' })
  const size = { columns: 200, rows: 40, cwd: at.project, env }
  const terminal = await inTerminal([process.execPath, kraft, 'images', '--provider', 'hetzner'], size)
  await terminal.sees(/secret: API token/)
  terminal.type(`${vendor.secret}\r`)
  await terminal.sees(/Keep secret in ~\/\.kraftwerk\.yaml/)
  terminal.type('y')
  expect(await terminal.ended()).toBe(0)
  expect(terminal.seen()).toContain('debian-12')
  expect(terminal.seen()).not.toContain(vendor.secret)
  const file = join(at.home, '.kraftwerk.yaml')
  expect(parse(await readFile(file, 'utf8'))).toEqual({ hetzner: { secret: vendor.secret } })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('kept settings join what is in the file, comments and all', async () => {
  await at.write('.kraftwerk.yaml', '# mine\nprovider: hetzner\nhetzner:\nec2: { disk: 30 }\n')
  await keepSettings('hetzner', { secret: 'abcd', location_id: 'fsn1' })
  await keepSettings('ec2', { location_id: 'eu-central-1' })
  const text = await readFile(join(at.home, '.kraftwerk.yaml'), 'utf8')
  expect(text).toMatch(/^# mine\n/)
  expect(parse(text)).toEqual({
    provider: 'hetzner',
    hetzner: { secret: 'abcd', location_id: 'fsn1' },
    ec2: { disk: 30, location_id: 'eu-central-1' },
  })
  expect((await stat(join(at.home, '.kraftwerk.yaml'))).mode & 0o777).toBe(0o600)
})

test('config shows what counts and where it comes from, and no secret', async () => {
  await at.write('.kraftwerk.yaml', 'provider: hetzner\nsecret: c4nary-in-file\nhetzner:\n  location_id: fsn1\n')
  const { stdout } = await run(['config'], { KRAFT_HETZNER_SIZE_ID: 'cx33' })
  expect(stdout).toMatch(/^provider +hetzner +\S+\.kraftwerk\.yaml:1:1$/m)
  expect(stdout).toMatch(/^hetzner\.secret +\[secret\] +\S+\.kraftwerk\.yaml:2:1$/m)
  expect(stdout).toMatch(/^hetzner\.location_id +fsn1 +\S+\.kraftwerk\.yaml:4:3$/m)
  expect(stdout).toMatch(/^hetzner\.size_id +cx33 +KRAFT_HETZNER_SIZE_ID$/m)
  expect(stdout).toMatch(/^hetzner\.port +22 +default$/m)
  expect(stdout).not.toContain('c4nary')
  await at.write('.kraftwerk.yaml', 'provider: hetzner\n')
  const other = await run(['config'], { HCLOUD_TOKEN: 'c4nary-in-variable' })
  expect(other.stdout).toMatch(/^hetzner\.secret +\[secret\] +HCLOUD_TOKEN$/m)
  expect(`${other.stdout}${other.stderr}`).not.toContain('c4nary')
})

test('nodes --provider lists what kraft made there, remembered or not', async () => {
  const given = { HCLOUD_TOKEN: vendor.secret, KRAFT_HETZNER_ENDPOINT: vendor.server.url }
  expect((await run(['nodes', '--provider', 'hetzner'], given)).stdout).toBe('kraft made no nodes at hetzner\n')
  const labels = { 'kraftwerk-for': 'a', 'kraftwerk-id': 'b', 'kraftwerk-key': 'c' }
  vendor.machines.set('7', { id: 7, name: 'lost', status: 'running', labels, public_net: { ipv4: { ip: '203.0.113.7' } } })
  expect((await run(['nodes', '--provider', 'hetzner'], given)).stdout).toMatch(/^lost +running +7 +203\.0\.113\.7$/m)
})

test('adopt remembers a server whose host key was given, logs in before, and terminate only forgets it', async () => {
  const port = await freePort()
  await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(at.home, 'id')])
  await at.write('.ssh/config', '')
  await exec('sh', ['-c', 'mv id .ssh/id_ed25519; mv id.pub .ssh/id_ed25519.pub; chmod 700 .ssh'], { cwd: at.home })
  const login = await readFile(join(at.home, '.ssh/id_ed25519.pub'), 'utf8')
  const { publicKey, privateKey } = generateHostKey()
  const indented = privateKey.trim().replaceAll('\n', '\n    ')
  const keys = `ssh_keys:\n  ed25519_private: |\n    ${indented}\n  ed25519_public: ${publicKey}\n`
  node = await bootNode(`#cloud-config\nssh_deletekeys: true\n${keys}ssh_authorized_keys: ['${login.trim()}']\n`, port)
  const place = `${userInfo().username}@127.0.0.1:${port}`
  const key = fromLine(publicKey)
  const right = key === undefined ? '' : fingerprint(key)
  await at.write('hosts', '127.0.0.1 localhost\n')

  const blind = await run(['adopt', 'one', place, '--yes'])
  expect(blind).toMatchObject({ code: 2, stderr: expect.stringContaining(`--host-key '${right}'`) })
  const wrong = await run(['adopt', 'one', place, '--host-key', 'SHA256:AAAA'])
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining('other host keys than the one that was given') })
  const made = await run(['adopt', 'one', place, '--host-key', right])
  expect(made.stderr).not.toContain('error')
  expect(made.code).toBe(0)
  const { one } = parse(await readFile(join(at.home, '.kraftwerk/nodes.yaml'), 'utf8'))
  expect(one).toMatchObject({ provider: 'static', address: '127.0.0.1', port, host_keys: [publicKey.split(' ', 2).join(' ')] })
  expect((await run(['nodes'])).stdout).toMatch(/^one +running +static/m)
  const gone = await run(['terminate:one', '--yes'])
  expect(gone.stdout).toContain('one is forgotten, and stays as it is')
  expect(JSON.parse((await run(['nodes', '--json'])).stdout)).toEqual([])
})

test('a login names user, host and port, also of IPv6', () => {
  expect(placeOf('root@203.0.113.7')).toEqual({ user: 'root', address: '203.0.113.7', port: 22 })
  expect(placeOf('admin@one.example.com:2222')).toEqual({ user: 'admin', address: 'one.example.com', port: 2222 })
  expect(placeOf('root@[2001:db8::7]:2222')).toEqual({ user: 'root', address: '2001:db8::7', port: 2222 })
  expect(placeOf('root@2001:db8::7')).toEqual({ user: 'root', address: '2001:db8::7', port: 22 })
  for (const wrong of ['one.example.com', '-oProxyCommand=x@a', 'root@-x', 'root@a:70000'])
    expect(() => placeOf(wrong)).toThrow(/is not a login/)
})
