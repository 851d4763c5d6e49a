import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { type BootedNode, bootNode, freePort, prepareNode } from '../rig/ec2-node.js'
import { type Ec2Proxy, startEc2Proxy } from '../rig/ec2-proxy.js'
import { type Moto, startMoto } from '../rig/moto.js'
import { watchProcesses } from '../rig/watch-processes.js'

// Read while the SDK loads, which this file does at its top.
vi.hoisted(() => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
})

// Of this run alone: what is searched for on this machine may be somebody else's test.
const secret = `c4nary${randomBytes(4).toString('hex')}'aws key`
const kraft = join(import.meta.dirname, '../../dist/kraft.js')
let moto: Moto
let proxy: Ec2Proxy
let node: BootedNode | undefined
let home: string
let port: number

beforeAll(async () => {
  await prepareNode()
  port = await freePort()
  moto = await startMoto([
    {
      id: 'ami-0deb12000000000a2',
      name: 'debian-12-amd64-20260301-1',
      owner: '136693071363',
      architecture: 'x86_64',
      created: '2026-03-01T00:00:00.000Z',
    },
  ])
  proxy = await startEc2Proxy(moto.url, '127.0.0.1', async ({ userData }) => {
    node = await bootNode(userData, port)
  })
  home = mkdtempSync(join(tmpdir(), 'kraftwerk-cloud-'))
  mkdirSync(join(home, 'project'))
  writeFileSync(join(home, 'project/kraftwerk.yaml'), 'wsgi: shop:app\n')
  const settings = { provider: 'ec2', user: 'test', secret, location_id: 'eu-west-1' }
  const rows = Object.entries(settings).map(([key, value]) => `${key}: ${value}\n`)
  writeFileSync(join(home, '.kraftwerk.yaml'), rows.join(''), { mode: 0o600 })
  writeFileSync(join(home, 'hosts'), '127.0.0.1 localhost\n')
})

afterAll(async () => {
  await node?.stop()
  await proxy?.stop()
  await moto?.stop()
  if (home !== undefined) rmSync(home, { recursive: true, force: true })
})

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CI: 'true',
    KRAFT_HOSTS_FILE: join(home, 'hosts'),
    KRAFT_EC2_ENDPOINT: proxy.url,
    KRAFT_EC2_PORT: String(port),
    KRAFT_EC2_LOGIN: userInfo().username,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [kraft, ...args], { cwd: join(home, 'project'), env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

async function running(): Promise<number> {
  const ec2 = new EC2Client({
    region: 'eu-west-1',
    endpoint: moto.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
  ec2.destroy()
  return Reservations.flatMap(({ Instances = [] }) => Instances).filter(({ State }) => State?.Name === 'running').length
}

test('kraft provision makes an EC2 instance, remembers it beside kraftwerk.yaml, and terminate removes it', async () => {
  const { result: made, seen } = await watchProcesses(secret, () => run('provision', 'live1', '--yes', '--verbose', '--debug'))
  expect(made.stderr).not.toContain('error')
  expect(made.code).toBe(0)
  expect(await running()).toBe(1)
  expect(`${made.stdout}${made.stderr}`).not.toContain(secret)
  expect(seen).toBe('')

  const file = join(home, 'project/nodes.yaml')
  const { live1 } = parse(readFileSync(file, 'utf8'))
  expect(live1).toMatchObject({ provider: 'ec2', address: '127.0.0.1', user: userInfo().username, port })
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
