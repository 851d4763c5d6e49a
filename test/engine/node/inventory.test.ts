import { spawn } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { locked } from '../../../engine/files/lock.js'
import { forget, inventoryFile, loadInventory, remember } from '../../../engine/node/inventory.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { failureOf, freshHome, settingError } from '../../rig/home.js'

const home = freshHome()
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmm'
const one: NodeRecord = {
  name: 'one',
  provider: 'ec2',
  id: 'i-1',
  address: '203.0.113.7',
  port: 2222,
  user: 'admin',
  host_keys: [key],
  made: { group: 'sg-1' },
}
const mine: NodeRecord = { name: 'mine', provider: 'local', address: '10.0.0.2', user: 'root', host_keys: [key] }

it('what is remembered is there again, every field of it', async () => {
  await remember(one, home.project)
  await remember(mine, home.project)
  const inventory = await loadInventory(home.project)
  expect(inventory.all()).toEqual([mine, one])
  expect(inventory.get('one')).toEqual(one)
  expect(inventory.get('two')).toBeUndefined()
})

it("nodes on this machine are this machine's, others the project's; outside a project all are this machine's", async () => {
  await remember(one, home.project)
  await remember(mine, home.project, { onThisMachine: true })
  await remember({ ...one, name: 'free' })
  expect(await readFile(inventoryFile(home.project), 'utf8')).toMatch(/^one:/)
  expect(await readFile(inventoryFile(), 'utf8')).toMatch(/^mine:[\s\S]*^free:/m)
  expect((await loadInventory()).all().map(({ name }) => name)).toEqual(['free', 'mine'])
})

it('nobody else can write the files, and the folder is private', async () => {
  const before = process.umask(0)
  try {
    await remember(one, home.project)
    await remember(mine)
  } finally {
    process.umask(before)
  }
  expect((await stat(inventoryFile(home.project))).mode & 0o777).toBe(0o644)
  expect((await stat(inventoryFile())).mode & 0o777).toBe(0o600)
  expect((await stat(join(home.home, '.kraftwerk'))).mode & 0o777).toBe(0o700)
  await chmod(inventoryFile(home.project), 0o666)
  await remember({ ...one, port: 22 }, home.project)
  expect((await stat(inventoryFile(home.project))).mode & 0o777).toBe(0o644)
})

it('comments and other nodes stay as they were', async () => {
  const text = `# our nodes\none: # the first\n  provider: ec2\n  # moved in May\n  address: 198.51.100.1\n  user: admin\n  host_keys: [${key}]\ntwo: { provider: static, address: b.example.com, user: root, host_keys: [] }\n`
  await home.write('calculator/nodes.yaml', text)
  await remember(one, home.project)
  const now = await readFile(inventoryFile(home.project), 'utf8')
  for (const part of ['# our nodes', '# the first', '# moved in May', 'two: { provider: static,', '203.0.113.7'])
    expect(now).toContain(part)
  await forget('one', home.project)
  expect(await readFile(inventoryFile(home.project), 'utf8')).toMatch(/^two: \{ provider: static/m)
})

it('an old field that is gone is gone', async () => {
  await remember(one, home.project)
  await remember({ name: 'one', provider: 'ec2', address: 'b.example.com', user: 'root', host_keys: [key] }, home.project)
  expect((await loadInventory(home.project)).get('one')).toEqual({
    name: 'one',
    provider: 'ec2',
    address: 'b.example.com',
    user: 'root',
    host_keys: [key],
  })
})

it('a name that the other file has is refused, by both readers and writers', async () => {
  await remember(one, home.project)
  expect(await failureOf(remember({ ...mine, name: 'one' }, home.project, { onThisMachine: true }))).toMatchObject({
    kind: 'task',
    message: expect.stringContaining('nodes.yaml:1:1'),
  })
  await remember({ ...mine, name: 'one' })
  const error = await settingError(loadInventory(home.project))
  expect(error.message).toContain(`${inventoryFile(home.project)}:1:1 and ${inventoryFile()}:1:1`)
})

it('a node that was made outside the project is written where it stands, when it is found again inside', async () => {
  await remember(one)
  await remember({ ...one, address: '203.0.113.8' }, home.project)
  expect((await loadInventory(home.project)).get('one')?.address).toBe('203.0.113.8')
  expect(await readdir(home.project)).toEqual([])
  const adopted = { name: 'two', provider: 'static', address: '192.0.2.2', user: 'root', host_keys: [key] }
  await remember(adopted)
  await remember({ ...adopted, user: 'admin' }, home.project)
  expect((await loadInventory(home.project)).get('two')?.user).toBe('admin')
  expect(await failureOf(remember({ ...one, id: 'i-2' }, home.project))).toMatchObject({ next: 'Choose another name' })
  expect(await failureOf(remember({ ...adopted, address: '192.0.2.3' }, home.project))).toMatchObject({ kind: 'task' })
})

it.each([
  ['one: { provider: ec2, adress: x, user: root, host_keys: [] }', '1:23', 'Did you mean "address"?'],
  [
    'one: { provider: ec2, address: -oProxyCommand=x, user: root, host_keys: [] }',
    '1:32',
    '"one.address" should be an IP address',
  ],
  ['one: { provider: ec2, address: a, user: -x, host_keys: [] }', '1:41', '"one.user"'],
  [
    'one: { provider: ec2, address: a, user: root, host_keys: [nonsense] }',
    '1:59',
    'Item 1 of "one.host_keys" should be a host key',
  ],
  ['all: { provider: ec2, address: a, user: root, host_keys: [] }', '1:1', '"all" cannot name a node'],
  ['- one', '1:1', 'a map of nodes by name'],
])('%j is an error', async (text, at, message) => {
  await home.write('calculator/nodes.yaml', text)
  expect(await settingError(loadInventory(home.project))).toMatchObject({ at, message: expect.stringContaining(message) })
})

it('a file with a mistake is not rewritten', async () => {
  const file = await home.write('calculator/nodes.yaml', 'one: [')
  await settingError(remember(one, home.project))
  expect(await readFile(file, 'utf8')).toBe('one: [')
})

it('a link stays a link', async () => {
  const real = await home.write('elsewhere/nodes.yaml', '')
  await symlink(real, inventoryFile(home.project))
  await remember(one, home.project)
  expect(await readFile(real, 'utf8')).toContain('one:')
})

it('forgetting what is not there changes nothing', async () => {
  await forget('nobody', home.project)
  expect(await readdir(home.project)).toEqual([])
})

it('many at once lose nothing and leave nothing behind', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => remember({ ...one, name }, home.project)))
  expect((await loadInventory(home.project)).all()).toHaveLength(12)
  expect(await readdir(home.project)).toEqual(['nodes.yaml'])
})

it('the lock of a process that died is taken over, that of a living one is waited for', async () => {
  const file = join(home.project, 'nodes.yaml')
  const child = spawn(process.execPath, ['-e', ''])
  await new Promise((done) => child.on('close', done))
  const { hostname } = await import('node:os')
  await writeFile(`${file}.lock`, JSON.stringify({ pid: child.pid, host: hostname(), id: 'x' }))
  const started = Date.now()
  await remember(one, home.project)
  expect(Date.now() - started).toBeLessThan(5000)

  const order: string[] = []
  const first = locked(file, async () => {
    await new Promise((done) => setTimeout(done, 150))
    order.push('first')
  })
  await new Promise((done) => setTimeout(done, 50))
  await Promise.all([first, locked(file, async () => order.push('second'))])
  expect(order).toEqual(['first', 'second'])
})

it('whoever lost the lock does not write', async () => {
  const file = join(home.project, 'nodes.yaml')
  await mkdir(home.project, { recursive: true })
  const failure = await failureOf(
    locked(file, async (held) => {
      await writeFile(`${file}.lock`, 'somebody else')
      await held.stillMine()
    }),
  )
  expect(failure).toMatchObject({ message: expect.stringContaining('taken over') })
  expect(await readFile(`${file}.lock`, 'utf8')).toBe('somebody else')
})
