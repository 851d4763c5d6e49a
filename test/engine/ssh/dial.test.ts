import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { destinationOf } from '../../../engine/ssh/destination.js'
import { dial, dialThrough, patience } from '../../../engine/ssh/dial.js'
import { failureOf } from '../../rig/failure.js'
import { ensurePackages } from '../../rig/packages.js'

// A port that drops who calls, as a firewall does: nobody takes calls there, and the queue of those who wait is full.
const deaf = `import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()`
let end: () => void
let port: number
const waiting: Socket[] = []

beforeAll(async () => {
  await ensurePackages(['python3'])
  const child = spawn('python3', ['-c', deaf], { stdio: ['pipe', 'pipe', 'inherit'] })
  end = () => child.stdin.end()
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  port = Number(line)
  const first = connect({ host: '127.0.0.1', port })
  waiting.push(first)
  await once(first, 'connect')
  for (let more = 0; more < 2; more++) waiting.push(connect({ host: '127.0.0.1', port }).on('error', () => undefined))
})
afterEach(() => void vi.useRealTimers())
afterAll(() => {
  for (const socket of waiting) socket.destroy()
  end?.()
})

const record = { name: 'one', provider: 'ec2', address: '127.0.0.1', user: 'admin', host_keys: [] }
const failed = async (made: Readonly<Record<string, string>>) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { isFenced } = destinationOf({ ...record, made })
  const failure = failureOf(dial({ node: 'one', hostName: '127.0.0.1', port, isFenced }))
  await vi.advanceTimersByTimeAsync(patience)
  return failure
}

it('says that a firewall may keep it out where nobody answers', async () => {
  expect(await failed({})).toMatchObject({
    kind: 'unreachable',
    said: `one: 127.0.0.1 port ${port} did not answer within 10 seconds`,
    next: 'Is it up, and does a firewall let you through?',
  })
})

it('names the command that lets in a new address where the firewall lets only known ones in', async () => {
  expect(await failed({ allow_ssh: 'mine' })).toMatchObject({
    next: 'Its firewall lets only known addresses in. If you come from another one than the last time: kraft provision one',
  })
})

it('a ProxyCommand outlives the Ctrl-C that its terminal sends to all: what runs on the node is ended over it', async () => {
  const stream = dialThrough('sh -c "echo \\$\\$; exec cat"')
  const [pid] = await once(stream, 'data')
  process.kill(Number(pid), 'SIGINT')
  stream.write('still here')
  expect(String((await once(stream, 'data'))[0])).toBe('still here')
  stream.on('error', () => undefined).destroy()
})
