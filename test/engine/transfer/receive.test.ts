import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { receiveStream } from '../../../engine/transfer/receive.js'
import { type Loopback, startLoopback } from '../../rig/loopback.js'

let node: Loopback
beforeAll(async () => {
  node = await startLoopback()
})
afterAll(() => node.stop())

it('a sink that fails, as where a disk is full, keeps no channel of the connection', async () => {
  const connection = node.connect()
  const full = () => new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left')) })
  // One more than a connection has.
  for (let number = 0; number < 9; number++) {
    await expect(receiveStream(connection, 'head -c 1000000 /dev/zero', '', full())).rejects.toThrow('no space left')
  }
  expect((await connection.capture('echo still here')).stdout).toBe('still here\n')
}, 20_000)
