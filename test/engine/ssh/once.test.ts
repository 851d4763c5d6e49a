import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sh } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { execGroup } from '../../../engine/ssh/group.js'
import { apply } from '../../../engine/step/apply.js'
import { compile } from '../../../engine/step/compile.js'
import { type Cable, startCable } from '../../rig/cable.js'
import { failureOf } from '../../rig/failure.js'
import { type Loopback, startLoopback } from '../../rig/loopback.js'

let loopback: Loopback
let cable: Cable
beforeAll(async () => {
  loopback = await startLoopback()
  process.env.HOME = loopback.sshd.folder
  cable = await startCable(loopback.sshd.port)
})
afterAll(async () => {
  await cable.stop()
  await loopback.stop()
})

const ways: readonly (readonly [name: string, (connection: Connection, file: string) => Promise<unknown>])[] = [
  ['a command', (connection, file) => connection.capture(`echo ran >>${file}; sleep 1`)],
  [
    'a command with processes of its own',
    async (connection, file) => {
      const { channel } = await execGroup(connection, `echo ran >>${file}; sleep 1`)
      channel.stdout.resume()
      channel.stderr.resume()
      return channel.exit
    },
  ],
  [
    'steps',
    async (connection, file) => {
      const script = compile('Steps', [{ title: 'run', apply: sh`echo ran >>${file}; sleep 1` }])
      for await (const event of apply(connection, script)) void event
    },
  ],
]

describe.each(ways)('%s that loses its connection', (name, run) => {
  // The first packet asks for a channel, the second names the command.
  it.each([
    [1, 0],
    [2, 0],
    [2, 5],
    [2, 20],
    [2, 300],
  ])('%i packets and %i ms after it was sent is told to have failed, and runs once at the most', async (packet, wait) => {
    const file = `${loopback.sshd.folder}/ran-${name.replaceAll(' ', '-')}-${packet}-${wait}`
    const { record, configFile } = loopback.sshd
    const connection = connect({ record: { ...record, port: cable.port }, configFile })
    try {
      await connection.capture('true')
      const before = cable.connections
      let count = 0
      cable.watch(() => {
        if (++count === packet) setTimeout(() => cable.cut(), wait)
        return true
      })
      const told = await failureOf(run(connection, file))
      expect(told.kind).toBe('unreachable')
      expect(cable.connections).toBe(before)
    } finally {
      cable.watch(() => true)
      await connection.close()
    }
    // What began has had its time to be there twice.
    await loopback.connect().capture('sleep 0.3')
    const ran = await readFile(file, 'utf8').catch(() => '')
    expect(['', 'ran\n']).toContain(ran)
  })
})

it('says that it is not known whether a command ran whose start was not confirmed', async () => {
  const { record, configFile } = loopback.sshd
  const connection = connect({ record: { ...record, port: cable.port }, configFile })
  await connection.capture('true')
  cable.watch(() => {
    cable.cut()
    return false
  })
  const told = await failureOf(connection.capture('true'))
  cable.watch(() => true)
  expect(told.said).toContain('whether the command had begun is not known')
  expect(told.next).toBe('Look what it did there before you run it again.')
  await connection.close()
})
