import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { dial } from '../../../engine/ssh/dial.js'
import { together } from '../../../engine/ssh/together.js'
import { startSshd } from '../../rig/sshd.js'

/** A stream that notes what it is told to send at a time. */
function noted(): { readonly stream: Writable; readonly sent: string[][] } {
  const sent: string[][] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      sent.push([String(chunk)])
      done()
    },
    writev(chunks, done) {
      sent.push(chunks.map(({ chunk }) => String(chunk)))
      done()
    },
  })
  return { stream: together(stream), sent }
}

it('what is written in one turn is sent together, what comes later on its own', async () => {
  const { stream, sent } = noted()
  for (const part of ['length', 'packet', 'tag']) stream.write(part)
  expect(sent).toEqual([])
  await new Promise(setImmediate)
  stream.write('next')
  await new Promise(setImmediate)
  expect(sent).toEqual([['length', 'packet', 'tag'], ['next']])
})

it('an end in the same turn loses nothing', async () => {
  const { stream, sent } = noted()
  stream.write('fare')
  stream.end('well')
  await once(stream, 'finish')
  expect(sent.flat().join('')).toBe('farewell')
})

it('tells who writes too fast, and when to go on', async () => {
  const slow = together(new PassThrough({ highWaterMark: 8 }))
  expect(slow.write('four')).toBe(true)
  expect(slow.write('and more')).toBe(false)
  slow.resume()
  await once(slow, 'drain')
})

it('a connection to a node does so', async () => {
  const sshd = await startSshd()
  const socket = await dial({ node: 'one', hostName: '127.0.0.1', port: sshd.port })
  socket.write('SSH-2.0-')
  expect(socket.writableCorked).toBe(1)
  await new Promise(setImmediate)
  expect(socket.writableCorked).toBe(0)
  socket.destroy()
  await sshd.stop()
})
