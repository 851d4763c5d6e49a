import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isKraftError } from '../../../../engine/errors/failure.js'
import { generateHostKey } from '../../../../engine/ssh/key-pair.js'
import { awaitHostKey } from '../../../../recipes/providers/cloud/host-key.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../../../rig/ec2-node.js'

let port: number
let running: BootedNode | undefined
let silent: Server | undefined

beforeEach(async () => {
  await prepareNode()
  port = await freePort()
}, 120_000)

afterEach(async () => {
  await running?.stop()
  silent?.close()
  running = undefined
  silent = undefined
})

test('waits for an sshd that comes up late', async () => {
  const { publicKey, privateKey } = generateHostKey()
  const waiting = awaitHostKey({ node: 'one', address: '127.0.0.1', port, keys: [publicKey], within: 15_000 })
  await new Promise((resolve) => setTimeout(resolve, 700))
  const indented = privateKey.trim().replaceAll('\n', '\n    ')
  const keys = `ssh_keys:\n  ed25519_private: |\n    ${indented}\n  ed25519_public: ${publicKey}\n`
  running = await bootNode(`#cloud-config\nssh_deletekeys: true\n${keys}ssh_authorized_keys: []\n`, port)
  await expect(waiting).resolves.toBeUndefined()
})

test('says what to look at when no sshd answers in time', async () => {
  const waiting = awaitHostKey({ node: 'one', address: '127.0.0.1', port, keys: ['ssh-ed25519 AAAA'], within: 600 })
  const error = await waiting.catch((reason: unknown) => reason)
  expect(isKraftError(error) && error.failure).toMatchObject({
    kind: 'unreachable',
    node: 'one',
    message: `No sshd answered at 127.0.0.1 port ${port} within 1 s`,
    next: expect.stringContaining('allow_ssh'),
  })
})

test('can be interrupted while something accepts and says nothing', async () => {
  const sockets: Socket[] = []
  silent = createServer((socket) => sockets.push(socket.on('error', () => socket.destroy()))).listen(port, '127.0.0.1')
  const stop = new AbortController()
  const started = Date.now()
  setTimeout(() => stop.abort(), 300)
  const waiting = awaitHostKey({ node: 'one', address: '127.0.0.1', port, keys: ['ssh-ed25519 AAAA'], signal: stop.signal })
  await expect(waiting).rejects.toMatchObject({ failure: { kind: 'interrupted' } })
  expect(Date.now() - started).toBeLessThan(3_000)
  for (const socket of sockets) socket.destroy()
})
