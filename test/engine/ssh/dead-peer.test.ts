import { readFile, writeFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sh } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { apply } from '../../../engine/step/apply.js'
import { compile } from '../../../engine/step/compile.js'
import { type Cable, startCable } from '../../rig/cable.js'
import { failureOf } from '../../rig/failure.js'
import { type Loopback, startLoopback } from '../../rig/loopback.js'

// Each of these takes as long as kraft waits, so they wait together.
let loopback: Loopback
const ends: (() => unknown)[] = []
beforeAll(async () => {
  loopback = await startLoopback()
  process.env.HOME = loopback.sshd.folder
})
afterAll(async () => {
  for (const end of ends) await end()
  await loopback.stop()
})

function over(port: number): Connection {
  const { record, configFile } = loopback.sshd
  const connection = connect({ record: { ...record, port }, configFile })
  ends.push(() => connection.close())
  return connection
}

async function cable(): Promise<Cable> {
  const laid = await startCable(loopback.sshd.port)
  ends.unshift(() => laid.stop())
  return laid
}

/** What a promise fails with, and that it does within 15 seconds. */
async function inTime(promise: Promise<unknown>) {
  const start = performance.now()
  const told = await failureOf(promise)
  expect(performance.now() - start).toBeLessThan(15_000)
  return told
}

async function drained(connection: Connection, command: string): Promise<unknown> {
  const channel = await connection.exec(command)
  channel.stdout.resume()
  channel.stderr.resume()
  return channel.exit
}

describe('a peer that is gone without a word is noticed within 15 seconds', { concurrent: true, timeout: 40_000 }, () => {
  it('before it said anything', async () => {
    const laid = await cable()
    laid.freeze()
    expect(await inTime(over(laid.port).exec('true'))).toMatchObject({
      kind: 'unreachable',
      said: 'one: the SSH handshake took more than 10 seconds',
    })
  })

  it.each([1, 2, 3, 4, 5])('in the middle of the handshake, at packet %i', async (packet) => {
    const laid = await cable()
    let count = 0
    laid.watch(() => {
      if (++count === packet) laid.freeze()
      return count < packet
    })
    expect((await inTime(over(laid.port).exec('true'))).kind).toBe('unreachable')
  })

  it('while a command runs that says nothing', async () => {
    const laid = await cable()
    const connection = over(laid.port)
    const ended = drained(connection, 'sleep 50')
    await connection.capture('true')
    laid.freeze()
    expect(await inTime(ended)).toMatchObject({
      kind: 'unreachable',
      said: 'one: the connection was lost: no answer for 12 seconds',
    })
  })

  it('while much is on its way there', async () => {
    const laid = await cable()
    const connection = over(laid.port)
    const channel = await connection.exec('cat >/dev/null')
    channel.stdout.resume()
    channel.stderr.resume()
    channel.stdin.write(Buffer.alloc(32 << 20))
    laid.freeze()
    expect((await inTime(channel.exit)).kind).toBe('unreachable')
  })

  it('when sshd itself is stopped', async () => {
    const connection = over(loopback.sshd.port)
    const { stdout } = await connection.capture('echo $PPID')
    const sshd = Number(stdout)
    const ended = drained(connection, 'sleep 50')
    // Given time to start it: a stopped sshd answers nothing.
    await connection.capture('true')
    process.kill(sshd, 'SIGSTOP')
    try {
      expect((await inTime(ended)).said).toBe('one: the connection was lost: no answer for 12 seconds')
    } finally {
      process.kill(sshd, 'SIGKILL')
    }
  })

  it('behind a proxy command', async () => {
    const laid = await cable()
    const configFile = `${loopback.sshd.folder}/proxy.config`
    const proxy = `${process.execPath} -e "const s=require('net').connect(${laid.port},'127.0.0.1');process.stdin.pipe(s).pipe(process.stdout)"`
    await writeFile(configFile, `ProxyCommand ${proxy}\n${await readFile(loopback.sshd.configFile, 'utf8')}`)
    const connection = connect({ record: loopback.sshd.record, configFile })
    ends.push(() => connection.close())
    await connection.capture('true')
    const ended = drained(connection, 'sleep 50')
    laid.freeze()
    expect((await inTime(ended)).kind).toBe('unreachable')
  })

  it('in the middle of steps, which say that what had started goes on', async (test) => {
    const laid = await cable()
    const script = compile('Steps', [{ title: 'slow', apply: sh`sleep 20; touch ${`${loopback.sshd.folder}/went-on`}` }])
    const run = async (): Promise<void> => {
      for await (const event of apply(over(laid.port), script)) if (event.type === 'begin') laid.freeze()
    }
    const told = await failureOf(run())
    expect(told).toMatchObject({ kind: 'unreachable', said: expect.stringContaining('what had started goes on there') })
    await test.expect.poll(() => readFile(`${loopback.sshd.folder}/went-on`, 'utf8'), { timeout: 20_000 }).toBe('')
  })
})
