import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createNode, type Node } from '../../../../engine/node/node.js'
import { lockNode } from '../../../../engine/node/node-lock.js'
import { disconnect } from '../../../../engine/ssh/warm/disconnect.js'
import { warmFolder } from '../../../../engine/ssh/warm/folder.js'
import { connectWarm } from '../../../../engine/ssh/warm/warm-connection.js'
import { failureOf, freshHome } from '../../../rig/home.js'
import { startSshd } from '../../../rig/sshd.js'

const program = fileURLToPath(new URL('../../../../dist/engine/ssh/warm/holder.js', import.meta.url))
freshHome()

async function begin() {
  const sshd = await startSshd([], 'ecdsa', ['/run/kraftwerk', '/var/lib/kraftwerk'])
  const { record, configFile } = sshd
  const opened: Node[] = []
  onTestFinished(async () => {
    await Promise.all(opened.map(({ connection }) => connection.close()))
    await disconnect(() => true)
    await sshd.stop()
  })
  return {
    logins: async () => (await sshd.log()).match(/^Accepted publickey/gm)?.length ?? 0,
    open: (alone: boolean) => {
      const connection = connectWarm({ record, configFile, keep: 60, version: '1.0.0', program, alone })
      const node = createNode(record, 'every', connection, 'apply', () => undefined)
      opened.push(node)
      return node
    },
  }
}

test('who wants it alone takes the connection that an earlier command left, holds a lock over it, and leaves it to the next', async () => {
  const { open, logins } = await begin()
  const first = open(false)
  await first.read('true')
  await first.connection.close()
  for (const n of [1, 2, 3]) {
    const node = open(true)
    const lock = await lockNode(node, 'shop', `deploy ${n}`)
    expect(await node.read('echo under it')).toBe('under it\n')
    await lock.release()
    await node.connection.close()
  }
  await open(false).read('true')
  expect(await logins()).toBe(1)
})

test('nobody shares a connection that somebody has alone, and nobody gets one alone that is shared: they log in', async () => {
  const { open, logins } = await begin()
  const shared = open(false)
  await shared.read('true')
  const alone = open(true)
  await alone.read('true')
  expect(await logins()).toBe(2)
  await shared.connection.close()
  const next = open(true)
  await next.read('true')
  expect(await logins()).toBe(2)
  await Promise.all([open(false).read('true'), open(true).read('true')])
  expect(await logins()).toBe(4)
})

test('who waits for a lock takes no channel from who has it', async () => {
  const { open } = await begin()
  const [holder, ...waiting] = Array.from({ length: 9 }, () => open(true))
  if (holder === undefined) throw new TypeError('There are nine')
  const lock = await lockNode(holder, 'shop', 'the first')
  const turns = waiting.map(async (node, n) => {
    const next = await lockNode(node, 'shop', `waiting ${n}`, { seconds: 60 })
    await node.read('true')
    await next.release()
  })
  expect(await holder.read('echo still served')).toBe('still served\n')
  await lock.release()
  await Promise.all(turns)
})

test('the lock is free once its kraft is gone, though the connection stays', async () => {
  const { open, logins } = await begin()
  const node = open(true)
  await lockNode(node, 'shop', 'ann')
  // As when its process is killed: its socket closes, and nothing is said.
  await node.connection.close()
  const other = open(true)
  expect((await lockNode(other, 'shop', 'bob', { seconds: 10 })).number).toBe('2')
  expect(await logins()).toBe(1)
})

test('a connection that somebody has alone is ended when they are done with it', async () => {
  const { open, logins } = await begin()
  const node = open(true)
  const lock = await lockNode(node, 'shop', 'ann')
  expect(await disconnect(() => true)).toMatchObject([{ node: 'one' }])
  expect(await failureOf(lockNode(open(true), 'shop', 'bob'))).toMatchObject({ kind: 'task' })
  expect(await node.read('echo on and on')).toBe('on and on\n')
  await lock.release()
  await node.connection.close()
  const before = await logins()
  await expect.poll(async () => (await readdir(warmFolder() ?? '')).filter((name) => name.endsWith('.sock'))).toEqual([])
  await open(true).read('true')
  expect(await logins()).toBe(before + 1)
})
