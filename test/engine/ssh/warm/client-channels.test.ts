import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Connection } from '../../../../engine/ssh/connection.js'
import { disconnect } from '../../../../engine/ssh/warm/disconnect.js'
import { connectWarm } from '../../../../engine/ssh/warm/warm-connection.js'
import { failureOf, freshHome } from '../../../rig/home.js'
import { type Kept, startKept } from '../../../rig/kept.js'
import { kraftProgram } from '../../../rig/kraft.js'
import { freePort, type Sshd, startSshd } from '../../../rig/sshd.js'
import { inTerminal, type Terminal } from '../../../rig/terminal.js'

describe('over a kept connection', () => {
  let kept: Kept
  beforeEach(async () => {
    kept = await startKept()
    await kept.kraft(['run:one', '--', 'true'])
  })
  afterEach(async () => {
    try {
      // Else it was not the way that is to be tried.
      expect(await kept.logins()).toBe(1)
      expect(await kept.holders()).toHaveLength(1)
    } finally {
      await kept.stop()
    }
  })

  const place = () => ({ cwd: kept.home, env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...kept.env } })
  const openShell = (columns: number, rows: number): Promise<Terminal> =>
    inTerminal([process.execPath, kraftProgram, 'shell:one'], { columns, rows, ...place() })

  test('a shell has the type and size of our terminal, follows its changes, takes Ctrl-C as a key and gives its exit code', async () => {
    const terminal = await openShell(100, 30)
    try {
      terminal.type('echo $TERM; stty size\r')
      await terminal.sees(/xterm-256color\r\n30 100\r\n/)
      terminal.type("trap 'stty size' WINCH; echo trapp''ed\r")
      await terminal.sees('trapped')
      terminal.resize(132, 43)
      await terminal.sees('43 132')
      terminal.type("echo sleep''ing; sleep 30; echo status $?\r")
      await terminal.sees('sleeping')
      // bash tells that it was interrupted only after it has begun to wait.
      await sleep(300)
      terminal.type('\x03')
      await terminal.sees('^C')
      terminal.type('echo still $((40 + 2))\r')
      await terminal.sees('still 42')
      terminal.type('exit 7\r')
      expect(await terminal.ended()).toBe(7)
    } finally {
      terminal.kill()
    }
  })

  test('a shell gets a hang-up when our terminal goes away', async () => {
    const mark = join(kept.home, 'hung-up')
    const terminal = await openShell(80, 24)
    terminal.type(`sh -c 'trap "echo >${mark}; exit" HUP; echo trapp""ed; while :; do sleep .1; done'\r`)
    await terminal.sees('trapped')
    terminal.kill()
    await expect.poll(() => readFile(mark, 'utf8').catch(() => ''), { timeout: 10_000 }).toBe('\n')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s reaches every process of a command', async (signal, code) => {
    const words = [kraftProgram, 'run:one', '--', 'sh', '-c', 'echo $$; sleep 30 | sleep 30']
    const child = spawn(process.execPath, words, { ...place(), stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = String((await once(child.stdout, 'data'))[0]).trim()
    const [, , group] = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
    const ended = once(child, 'exit')
    child.kill(signal)
    expect((await ended)[0]).toBe(code)
    await expect.poll(() => membersOf(Number(group))).toEqual([])
  })
})

describe('a channel of a kept connection', () => {
  const program = fileURLToPath(new URL('../../../../dist/engine/ssh/warm/holder.js', import.meta.url))
  const open: (Socket | Server)[] = []
  let sshd: Sshd
  let connection: Connection
  let holder: number
  freshHome()
  beforeEach(async () => {
    sshd = await startSshd()
    const { record, configFile } = sshd
    connection = connectWarm({ record, configFile, keep: 60, version: '1.0.0', program })
    holder = await holderOf(connection)
  })
  afterEach(async () => {
    await connection.close()
    expect(await disconnect(() => true)).toMatchObject([{ node: 'one', pid: holder }])
    for (const each of open.splice(0)) 'destroy' in each ? each.destroy() : each.close()
    await sshd.stop()
  })

  /** A server on loopback, and what connects to it. */
  async function listen(): Promise<{ port: number; accepted: Promise<Socket> }> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    open.push(server)
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
    const accepted = once(server, 'connection').then(([socket]: Socket[]) => {
      if (socket === undefined) throw new Error('Nobody connected')
      open.push(socket)
      return socket
    })
    return { port: address.port, accepted }
  }

  test('carries bytes to a port behind the node and back at the same time', async () => {
    const { port, accepted } = await listen()
    const near = await connection.forward('127.0.0.1', port)
    const far = await accepted
    const [there, back] = [randomBytes(8_000_000), randomBytes(8_000_000)]
    const read = Promise.all([buffer(far), buffer(near)])
    near.end(there)
    far.end(back)
    const [atServer, here] = await read
    expect([atServer.equals(there), here.equals(back)]).toEqual([true, true])
  })

  test('carries the end of what goes there, and still what comes back', async () => {
    const { port, accepted } = await listen()
    const near = await connection.forward('127.0.0.1', port)
    const far = await accepted
    near.end('question')
    expect(await untilEnd(far)).toBe('question')
    far.end('answer')
    expect(await untilEnd(near)).toBe('answer')
  })

  test('carries the end of what comes back, and still what goes there', async () => {
    const { port, accepted } = await listen()
    const near = await connection.forward('127.0.0.1', port)
    const far = await accepted
    far.end('greeting')
    expect(await untilEnd(near)).toBe('greeting')
    near.end('answer')
    expect(await untilEnd(far)).toBe('answer')
  })

  test('to a port is closed there when it is dropped here', async () => {
    const { port, accepted } = await listen()
    const near = await connection.forward('127.0.0.1', port)
    const far = await accepted
    const ended = once(far.resume(), 'end')
    near.destroy()
    await ended
  })

  test('to a port ends here when it is reset there, also for who writes', async () => {
    const { port, accepted } = await listen()
    const near = await connection.forward('127.0.0.1', port)
    const far = await accepted
    const closed = once(near, 'close')
    near.write(Buffer.alloc(64 << 20))
    await once(far, 'readable')
    far.resetAndDestroy()
    expect(await untilEnd(near)).toBe('')
    await closed
  })

  test('to a port where nobody listens fails with that, and leaves the others alone', async () => {
    const port = await freePort()
    expect(await failureOf(connection.forward('127.0.0.1', port))).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining(`127.0.0.1 port ${port} cannot be reached from there`),
    })
    expect((await connection.capture('echo here')).stdout).toBe('here\n')
  })

  test('holds back who writes more than its command reads, and loses nothing', async () => {
    const channel = await connection.exec('read -r word; sha256sum')
    channel.stderr.resume()
    const said = buffer(channel.stdout)
    const piece = randomBytes(1 << 20)
    const hash = createHash('sha256')
    channel.stdin.write('go\n')
    const unread = await connection.exec('sleep 600')
    const taken = await fill(unread.stdin, piece)
    // One window of ssh2, one of sshd, and what is underway between them.
    expect(taken).toBeLessThan(16)
    const before = await memory(holder)
    for (let count = 0; count < 200; count++) {
      hash.update(piece)
      if (!channel.stdin.write(piece)) await once(channel.stdin, 'drain')
    }
    channel.stdin.end()
    expect((await said).toString()).toBe(`${hash.digest('hex')}  -\n`)
    expect(await channel.exit).toEqual({ code: 0, signal: null })
    // Two hundred megabytes went through it.
    expect((await memory(holder)) - before).toBeLessThan(100 << 20)
    unread.close()
  }, 60_000)

  test('holds back a command whose output nobody reads, and stalls no other', async () => {
    const mark = join(sshd.folder, 'written')
    const script = `while head -c 1000000 /dev/zero; do echo x >>${mark}; done`
    const channel = await connection.exec(`exec timeout 60 bash -c '${script}'`)
    const written = async () => (await readFile(mark, 'utf8').catch(() => '')).length / 2
    await expect.poll(written).toBeGreaterThan(0)
    await expect.poll(async () => [await written(), await sleep(500).then(written)].reduce((one, other) => other - one)).toBe(0)
    expect(await written()).toBeLessThan(16)
    expect((await connection.capture('head -c 20000000 /dev/zero | wc -c')).stdout.trim()).toBe('20000000')
    channel.close()
    expect((await connection.capture('echo here')).stdout).toBe('here\n')
  })
})

/** The process that keeps the only connection. */
async function holderOf(connection: Connection): Promise<number> {
  await connection.capture('true')
  const pids: number[] = []
  await disconnect(({ pid }) => {
    pids.push(pid)
    return false
  })
  expect(pids).toHaveLength(1)
  return pids[0] ?? 0
}

/** What a stream says; its other direction stays as it is, which the readers of Node.js would destroy. */
async function untilEnd(stream: Duplex): Promise<string> {
  let said = ''
  stream.on('data', (chunk: Buffer) => {
    said += chunk
  })
  await once(stream, 'end')
  return said
}

/** The processes of a group that still run. */
async function membersOf(group: number): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pgid=,stat=,args='])
  // Where nobody buries orphans, the dead are listed as well.
  return stdout.split('\n').filter((line) => new RegExp(`^ *${group} [^Z]`).test(line))
}

/** Megabytes that a stream takes until it has taken nothing for half a second. */
async function fill(to: Writable, piece: Buffer): Promise<number> {
  for (let count = 0; count < 1000; count++) {
    if (to.write(piece)) continue
    const drained = await Promise.race([once(to, 'drain').then(() => true), sleep(500).then(() => false)])
    if (!drained) return count
  }
  return 1000
}

/** Bytes of memory that a process takes. */
async function memory(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
