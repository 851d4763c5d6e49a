import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startAddressService } from '../rig/address-service.js'
import { image, startAccount } from '../rig/ec2-account.js'
import { kraftInTerminal } from '../rig/terminal.js'
import { watchProcesses } from '../rig/watch-processes.js'

// Of this run alone: what is searched for on this machine may be somebody else's test.
const secret = `c4nary${randomBytes(4).toString('hex')}'aws key`
const kraft = join(import.meta.dirname, '../../dist/kraft.js')
const account = await startAccount([image('ami-0deb12000000000a2', 'debian-12-amd64-20260301-1')])
const service = await startAddressService()
let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kraftwerk-cloud-'))
  mkdirSync(join(home, 'project'))
  writeFileSync(join(home, 'project/kraftwerk.yaml'), 'wsgi: shop:app\n')
  const settings = { provider: 'ec2', user: 'test', secret, location_id: 'eu-west-1' }
  const rows = Object.entries(settings).map(([key, value]) => `${key}: ${value}\n`)
  writeFileSync(join(home, '.kraftwerk.yaml'), rows.join(''), { mode: 0o600 })
  writeFileSync(join(home, 'hosts'), '127.0.0.1 localhost\n')
})

afterAll(async () => {
  await service.stop()
  await account.stop()
  if (home !== undefined) rmSync(home, { recursive: true, force: true })
})

const variables = () => ({
  PATH: process.env.PATH,
  HOME: home,
  KRAFT_HOSTS_FILE: join(home, 'hosts'),
  KRAFT_EC2_ENDPOINT: account.proxy.url,
  KRAFT_EC2_ADDRESS_SERVICE: service.url,
  KRAFT_EC2_PORT: String(account.port),
  KRAFT_EC2_LOGIN: userInfo().username,
  AWS_EC2_METADATA_DISABLED: 'true',
})

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...variables(), CI: 'true' }
  return new Promise((resolve) => {
    execFile(process.execPath, [kraft, ...args], { cwd: join(home, 'project'), env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

/** From where ssh is let in, and 80 and 443. */
async function doors(): Promise<readonly (string | undefined)[]> {
  const [group] = (await account.holdings()).groups
  return group?.IpPermissions?.flatMap(({ IpRanges = [] }) => IpRanges.map(({ CidrIp }) => CidrIp)) ?? []
}

const running = async () => (await account.holdings()).instances.filter(({ State }) => State?.Name === 'running').length

test('kraft provision makes an EC2 instance, remembers it beside kraftwerk.yaml, and terminate removes it', async () => {
  const { result: made, seen } = await watchProcesses(secret, () => run('provision', 'live1', '--yes', '--verbose', '--debug'))
  expect(made.stderr).not.toContain('error')
  expect(made.code).toBe(0)
  expect(await running()).toBe(1)
  // Nobody was there to be asked.
  expect(await doors()).toEqual(['0.0.0.0/0', '0.0.0.0/0', '0.0.0.0/0'])
  expect(`${made.stdout}${made.stderr}`).not.toContain(secret)
  expect(seen).toBe('')

  const file = join(home, 'project/nodes.yaml')
  const { live1 } = parse(readFileSync(file, 'utf8'))
  expect(live1).toMatchObject({ provider: 'ec2', address: '127.0.0.1', user: userInfo().username, port: account.port })
  expect(live1.host_keys).toEqual([expect.stringMatching(/^ssh-ed25519 /)])
  expect(readFileSync(join(home, 'hosts'), 'utf8')).toContain('127.0.0.1 live1 # kraft')

  const listed = await run('nodes', '--json')
  expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'live1', provider: 'ec2', state: 'running' }])

  const again = await run('provision', 'live1', '--yes')
  expect(again.code).toBe(0)
  expect(await running()).toBe(1)

  const failed = await run('provision', 'live2', '--yes', '--debug', '--events', '--set', 'image_id=ami-0000000000000000f')
  expect(failed.code).not.toBe(0)
  expect(`${failed.stdout}${failed.stderr}`).not.toContain(secret)
  expect(execFileSync('grep', ['-rlF', secret, home], { encoding: 'utf8' })).toBe(`${join(home, '.kraftwerk.yaml')}\n`)

  const refused = await run('terminate:live1')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('--yes')
  expect(await running()).toBe(1)

  const gone = await run('terminate:live1', '--yes')
  expect(gone.code).toBe(0)
  expect(await running()).toBe(0)
  expect(JSON.parse((await run('nodes', '--json')).stdout)).toEqual([])
  expect(readFileSync(join(home, 'hosts'), 'utf8')).toBe('127.0.0.1 localhost\n')
})

test('on a terminal it asks once who may reach ssh, and a node that is there is not asked about', async () => {
  await account.reset()
  const provision = () => kraftInTerminal(['provision', 'live1'], { cwd: join(home, 'project'), env: variables() })
  const terminal = await provision()
  await terminal.sees(/allow_ssh: Who may reach ssh: .*mine.* \(Enter: 0\.0\.0\.0\/0\)/)
  terminal.type('me\r')
  await terminal.sees('"me" is no allow_ssh')
  await terminal.sees('allow_ssh: Who may reach ssh: ')
  terminal.type('mine\r')
  await terminal.sees('Keep allow_ssh in ~/.kraftwerk.yaml')
  terminal.type('y')
  await terminal.sees('Add "127.0.0.1 live1" to')
  terminal.type('n')
  await terminal.sees('so that ssh live1 works?')
  terminal.type('n')
  await terminal.sees('live1 is at 127.0.0.1')
  expect(await terminal.ended()).toBe(0)
  expect(parse(readFileSync(join(home, '.kraftwerk.yaml'), 'utf8'))).toMatchObject({ ec2: { allow_ssh: 'mine' } })
  expect(parse(readFileSync(join(home, 'project/nodes.yaml'), 'utf8')).live1.made.allow_ssh).toBe('mine')
  expect(await doors()).toEqual(['203.0.113.7/32', '0.0.0.0/0', '0.0.0.0/0'])

  service.says = '198.51.100.9'
  writeFileSync(
    join(home, '.kraftwerk.yaml'),
    readFileSync(join(home, '.kraftwerk.yaml'), 'utf8').replace(/^.*allow_ssh.*$/m, ''),
  )
  const again = await provision()
  await again.sees('Add "127.0.0.1 live1" to')
  expect(again.seen()).not.toContain('allow_ssh: ')
  again.type('n')
  expect(await again.ended()).toBe(0)
  expect(await doors()).toEqual(['0.0.0.0/0', '0.0.0.0/0', '198.51.100.9/32'])
})

test('on a machine that knows nothing of AWS it asks for key, secret and region, and says which regions there are', async () => {
  await account.reset()
  const own = mkdtempSync(join(home, 'fresh-'))
  const terminal = await kraftInTerminal(['images', '--provider', 'ec2'], { cwd: own, env: { ...variables(), HOME: own } })
  await terminal.sees('user: Access key id')
  terminal.type('test\r')
  await terminal.sees('secret: Secret access key')
  terminal.type(`${secret}\r`)
  await terminal.sees(/ {2}eu-central-1 {2}/)
  await terminal.sees('location_id: ')
  terminal.type('eu-west-1\r')
  await terminal.sees('Keep user and secret and location_id in ~/.kraftwerk.yaml')
  terminal.type('y')
  expect(await terminal.ended()).toBe(0)
  expect(terminal.seen()).toContain('debian-12-amd64-20260301-1')
  expect(terminal.seen()).not.toContain(secret)
  expect(parse(readFileSync(join(own, '.kraftwerk.yaml'), 'utf8'))).toEqual({
    ec2: { user: 'test', secret, location_id: 'eu-west-1' },
  })
})
