import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ConnectOptions, connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { failureOf } from '../../rig/failure.js'
import { freePort, type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
const opened: Connection[] = []

beforeAll(async () => {
  sshd = await startSshd(['MaxSessions 10'])
  process.env.HOME = sshd.folder
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()))
})
afterAll(() => sshd.stop())

function open(options: Partial<ConnectOptions> = {}): Connection {
  const connection = connect({ record: sshd.record, configFile: sshd.configFile, ...options })
  opened.push(connection)
  return connection
}

describe('a connection', () => {
  it('is not opened before the first command', async () => {
    const nowhere = { ...sshd.record, port: await freePort() }
    const connection = open({ record: nowhere })
    expect(connection.node).toBe('one')
    await connection.close()
  })

  it('that is only being made is given up when it is closed, though its server says nothing', { timeout: 5_000 }, async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const connection = open({ record: { ...sshd.record, port } })
    const running = failureOf(connection.capture('true'))
    const [socket] = (await once(silent, 'connection')) as [Socket]
    const gone = once(socket.resume(), 'close')
    await connection.close()
    expect(await running).toMatchObject({ kind: 'interrupted' })
    await gone
    silent.close()
  })

  it('runs a command with its input and tells output, errors and exit code apart', async () => {
    const { stdout, stderr, exit } = await open().capture('cat; echo no >&2; exit 3', 'håll\n')
    expect({ stdout, stderr, exit }).toEqual({ stdout: 'håll\n', stderr: 'no\n', exit: { code: 3, signal: null } })
  })

  it('tells the signal that ended a command', async () => {
    expect((await open().capture('kill -TERM $$')).exit).toEqual({ code: null, signal: 'TERM' })
  })

  it('runs 30 commands over one login with at most 8 at once', async () => {
    const connection = open()
    const before = (await sshd.log()).split('Accepted publickey').length
    let now = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const channel = await connection.exec(`sleep 0.02; echo ${index}`)
        most = Math.max(most, ++now)
        channel.stdout.resume()
        channel.stderr.resume()
        expect((await channel.exit).code).toBe(0)
        now--
      }),
    )
    expect(most).toBeLessThanOrEqual(8)
    expect(most).toBeGreaterThan(3)
    expect((await sshd.log()).split('Accepted publickey').length).toBe(before + 1)
  })

  it('carries 10 MB there and back unharmed', async () => {
    const bytes = Buffer.alloc(10 << 20, 'kraftwerk\n')
    const { stdout } = await open().capture('cat', bytes)
    expect(Buffer.from(stdout).equals(bytes)).toBe(true)
  })

  it('fails what runs as unreachable when it is lost, and connects again for the next command', async () => {
    const connection = open()
    const channel = await connection.exec('sleep 20')
    channel.stdout.resume()
    channel.stderr.resume()
    await connection.capture('kill -9 $(cut -d" " -f4 /proc/$$/stat)').catch(() => undefined)
    expect(await failureOf(channel.exit)).toMatchObject({ kind: 'unreachable', said: 'one: the connection was lost' })
    expect((await connection.capture('echo again')).stdout).toBe('again\n')
  })

  it('opens nothing any more after it was closed', async () => {
    const connection = open()
    await connection.capture('true')
    await connection.close()
    expect(await failureOf(connection.exec('true'))).toMatchObject({ kind: 'unreachable' })
  })

  it('ends with its signal', async () => {
    const control = new AbortController()
    const channel = await open({ signal: control.signal }).exec('sleep 20')
    channel.stdout.resume()
    channel.stderr.resume()
    control.abort()
    expect(await failureOf(channel.exit)).toMatchObject({ kind: 'interrupted' })
  })

  it('waits for its own sessions where the server allows fewer', async () => {
    const narrow = await startSshd(['MaxSessions 2'])
    const connection = open({ record: narrow.record, configFile: narrow.configFile })
    await connection.capture('true')
    const outputs = await Promise.all(Array.from({ length: 6 }, (_, index) => connection.capture(`sleep 0.05; echo ${index}`)))
    expect(outputs.map(({ stdout }) => stdout.trim())).toEqual(['0', '1', '2', '3', '4', '5'])
    await connection.close()
    await narrow.stop()
  })
})

describe('a node that cannot be reached', () => {
  it('is told to refuse', async () => {
    const port = await freePort()
    const told = await failureOf(open({ record: { ...sshd.record, port } }).exec('true'))
    expect(told).toMatchObject({ kind: 'unreachable', said: `one: 127.0.0.1 port ${port} refused the connection` })
  })

  it('is told to be unknown to DNS', async () => {
    // A label of 64 letters is wrong by itself, so that no server is asked.
    const address = `${'x'.repeat(64)}.invalid`
    const told = await failureOf(open({ record: { ...sshd.record, address } }).exec('true'))
    expect(told).toMatchObject({ kind: 'unreachable', said: `one: the name ${address} is not known to DNS` })
  })

  it('names the keys that were tried and those that could not be', async () => {
    const { generateHostKey } = await import('../../../engine/ssh/key-pair.js')
    const stranger = `${sshd.folder}/stranger`
    await writeFile(stranger, generateHostKey().privateKey, { mode: 0o600 })
    const configFile = `${sshd.folder}/stranger.config`
    const config = await readFile(sshd.configFile, 'utf8')
    await writeFile(configFile, config.replace(/IdentityFile .*/, `IdentityFile ${stranger}\nIdentityFile ${sshd.folder}/absent`))
    const told = await failureOf(open({ configFile }).exec('true'))
    expect(told.kind).toBe('unreachable')
    expect(told.said).toContain(`tried ${stranger}`)
    expect(told.said).toContain(`${sshd.folder}/absent: there is no such file`)
    expect(told.next).toContain('authorized_keys')
  })
})
