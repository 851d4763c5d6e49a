// Run as a program of its own: contender.fixture.ts RECORD CONFIG NAME. For each line `ROUND DELAY` it tries to take the lock and says
// how that ended; the one that has it keeps it until it is told to give it back, or is killed.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from '../../../engine/node/node.js'
import { lockNode, type NodeLock } from '../../../engine/node/node-lock.js'
import { connect } from '../../../engine/ssh/connect.js'

const [record = '', configFile = '', name = ''] = process.argv.slice(2)
const parsed = JSON.parse(record)
const node = createNode(parsed, 'every', connect({ record: parsed, configFile }), 'apply', () => undefined)
const say = (said: unknown) => process.stdout.write(`${JSON.stringify(said)}\n`)
let held: NodeLock | undefined
// Logged in before the first round, so that they meet.
await node.connection.capture('true')
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') {
    await held?.release()
    held = undefined
    say({ released: true })
    continue
  }
  const [round, delay] = line.split(' ').map(Number)
  await sleep(delay)
  try {
    held = await lockNode(node, 'contended', name)
    say({ round, number: Number(held.number) })
  } catch (error) {
    say({ round, refused: error instanceof Error ? error.message : String(error) })
  }
}
await node.connection.close()
