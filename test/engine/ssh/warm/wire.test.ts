import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect as dial, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { credit } from '../../../../engine/ssh/warm/streams.js'
import { type Message, Wire } from '../../../../engine/ssh/warm/wire.js'

let folder: string
let sockets: Socket[]
let [here, there]: Wire[] = []
let heard: Message[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-wire-'))
  const server = createServer().listen(join(folder, 'socket'))
  const near = dial(join(folder, 'socket'))
  const [far] = await once(server, 'connection')
  server.close()
  sockets = [near, far]
  heard = []
  here = new Wire(near, () => undefined)
  there = new Wire(far, (message) => heard.push(message))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await rm(folder, { recursive: true, force: true })
})

test('a stream that nobody reads takes no more than its credit, and stalls neither notes nor other streams', async () => {
  const stuck = here?.outlet(1)
  const unread = there?.inlet(1)
  const flowing = here?.outlet(2)
  const read = there?.inlet(2)
  stuck?.write(Buffer.alloc(8_000_000))
  flowing?.end(Buffer.alloc(8_000_000))
  let bytes = 0
  for await (const chunk of read ?? []) bytes += chunk.length
  expect(bytes).toBe(8_000_000)
  here?.send({ type: 'note' })
  while (heard.length === 0) await sleep(5)
  expect(unread?.readableLength).toBe(credit)
  expect(sockets[0]?.writableLength).toBe(0)
})

test('what waits for credit ends with the other end', async () => {
  const stuck = here?.outlet(1)
  there?.inlet(1)
  stuck?.write(Buffer.alloc(8_000_000))
  const read = here?.inlet(2)
  sockets[1]?.destroy()
  await here?.gone
  expect(stuck?.destroyed).toBe(true)
  for await (const _ of read ?? []) expect.unreachable()
})

test.each([
  ['a frame of an unknown kind', Buffer.from([0, 0, 0, 0, 9, 0, 0, 0, 0])],
  ['a frame without end', Buffer.from([255, 255, 255, 255, 0, 0, 0, 0, 0])],
  ['a note that is none', Buffer.concat([Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0]), Buffer.from('[]')])],
])('who sends %s is not talked to', async (_what, bytes) => {
  sockets[0]?.write(bytes)
  await there?.gone
  expect(heard).toEqual([])
})
