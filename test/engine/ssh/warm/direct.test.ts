import { appendFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createNode } from '../../../../engine/node/node.js'
import { lockNode } from '../../../../engine/node/node-lock.js'
import { disconnect } from '../../../../engine/ssh/warm/disconnect.js'
import { connectWarm } from '../../../../engine/ssh/warm/warm-connection.js'
import { failureOf, freshHome } from '../../../rig/home.js'
import { startSshd } from '../../../rig/sshd.js'

const program = fileURLToPath(new URL('../../../../dist/engine/ssh/warm/holder.js', import.meta.url))
freshHome()

test('a lock is held over a connection of this process, and so is everything after it', async () => {
  const sshd = await startSshd([], 'ecdsa', ['/run/kraftwerk', '/var/lib/kraftwerk'])
  const { record, configFile } = sshd
  const open = () => {
    const connection = connectWarm({ record, configFile, keep: 60, version: '1.0.0', program })
    return createNode(record, 'every', connection, 'apply', () => undefined)
  }
  const [node, other] = [open(), open()]
  const logins = async () => (await sshd.log()).match(/^Accepted publickey/gm)?.length
  await node.read('true')
  await other.read('true')
  expect(await logins()).toBe(1)
  const lock = await lockNode(node, 'shop', 'ann')
  expect(await logins()).toBe(2)
  // The connection that was kept goes away, and the lock stays.
  expect(await disconnect(() => true)).toMatchObject([{ node: 'one', port: sshd.port }])
  expect(await failureOf(lockNode(other, 'shop', 'bob'))).toMatchObject({ kind: 'task' })
  expect(await node.read('echo over its own')).toBe('over its own\n')
  await lock.release()
  await Promise.all([node, other].map(({ connection }) => connection.close()))
  expect(await disconnect(() => true)).toEqual([])
  await sshd.stop()
})

test('another version of kraft, another name for the same server or another ssh option never meets an older connection', async () => {
  const sshd = await startSshd()
  const { record, configFile } = sshd
  const use = async (version: string, name: string) => {
    const connection = connectWarm({ record: { ...record, name }, configFile, keep: 60, version, program })
    expect((await connection.capture('echo here')).stdout).toBe('here\n')
    await connection.close()
  }
  await use('1.0.0', 'one')
  await use('1.0.0', 'one')
  await use('1.0.1', 'one')
  await use('1.0.0', 'two')
  await appendFile(configFile, 'HashKnownHosts yes\n')
  await use('1.0.0', 'one')
  expect((await disconnect(({ node }) => node === 'one')).map(({ node }) => node)).toEqual(['one', 'one', 'one'])
  expect((await disconnect(() => true)).map(({ node }) => node)).toEqual(['two'])
  await sshd.stop()
})
