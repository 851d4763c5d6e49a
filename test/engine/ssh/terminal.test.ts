import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quote } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { type Program, program } from '../../rig/program.js'
import { freePort, type Sshd, startSshd } from '../../rig/sshd.js'

let session: Program
let sshd: Sshd
let outer: Connection

beforeAll(async () => {
  session = await program(fileURLToPath(new URL('session.fixture.ts', import.meta.url)), ['engine'])
  sshd = await startSshd()
  process.env.HOME = sshd.folder
  outer = connect({ record: sshd.record, configFile: sshd.configFile })
}, 60_000)
afterAll(async () => {
  await outer.close()
  await sshd.stop()
  await session.remove()
})

function words(kind: 'interactive' | 'piped', command: string, record = sshd.record): string[] {
  return [process.execPath, session.file, kind, JSON.stringify(record), sshd.configFile, command]
}

function start(command: string, record = sshd.record): ChildProcess & { stdin: NodeJS.WritableStream } {
  const [program = '', ...rest] = words('piped', command, record)
  return spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
}

async function ended(child: ChildProcess): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  const [code] = await once(child, 'close')
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }
}

describe('a command whose input and output are passed through', () => {
  it('carries every byte both ways and its exit code back', async () => {
    const bytes = Buffer.from(Array.from({ length: 3 << 20 }, (_, index) => (index * 7 + (index >> 8)) % 256))
    const child = start('cat; echo said >&2; exit 9')
    const end = ended(child)
    child.stdin.end(bytes)
    const { code, stdout, stderr } = await end
    expect([code, stderr, stdout.equals(bytes)]).toEqual([9, 'said\n', true])
  })

  it('returns 128 and the number of the signal that ended it', async () => {
    expect((await ended(start('kill -KILL $$'))).code).toBe(137)
  })

  it('ends although its input stays open', async () => {
    expect((await ended(start('echo out'))).stdout.toString()).toBe('out\n')
  })

  it('gets no input where there is none', async () => {
    const [program = '', ...rest] = words('piped', 'cat; echo end')
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    expect((await ended(child)).stdout.toString()).toBe('end\n')
  })

  it('ends quietly when nobody reads it any more, here and on the node', async () => {
    const child = start('echo $$; while echo line; do :; done')
    const pid = String((await once(child.stdout ?? child, 'data'))[0]).split('\n')[0]
    child.stdout?.destroy()
    const { code, stderr } = await ended(child)
    expect([code, stderr]).toEqual([141, ''])
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  it.each([
    ['SIGINT', 130, 'echo $$; sleep 30'],
    ['SIGTERM', 143, 'echo $$; sleep 30 & sleep 30'],
  ] as const)('passes %s on to all of its processes', async (signal, code, command) => {
    const child = start(command)
    const pid = String((await once(child.stdout ?? child, 'data'))[0]).trim()
    child.kill(signal)
    expect((await ended(child)).code).toBe(code)
    expect(await isAlive(pid)).toBe(false)
  })

  it('fails where the node cannot be reached', async () => {
    const { code, stderr } = await ended(start('true', { ...sshd.record, port: await freePort() }))
    expect(code).not.toBe(0)
    expect(stderr).toContain('refused the connection')
  })
})

describe('a command in a terminal', () => {
  // The terminal to try it in is one of sshd's: a real one, whose size can be changed from here.
  async function inTerminal(command: string) {
    const line = words('interactive', command).map(quote).join(' ')
    const terminal = { type: 'xterm-256color', columns: 100, rows: 30 }
    const channel = await outer.exec(`HOME=${quote(sshd.folder)} ${line}; echo "code: $?"; stty -a | grep -o -- '-\\?icanon'`, {
      terminal,
    })
    let seen = ''
    channel.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
    })
    channel.stderr.resume()
    return { channel, seen: () => seen, sees: (text: string) => expect.poll(() => seen, { timeout: 8_000 }).toContain(text) }
  }

  it('has the type and size of ours, follows its changes, and gets keys one by one', async () => {
    const { channel, sees, seen } = await inTerminal(
      'trap \'stty size\' WINCH; echo $TERM; stty size; stty -icanon -echo; echo ready; while k=$(dd bs=1 count=1 2>/dev/null); do [ "$k" = q ] && exit 7; echo "key:$k"; done',
    )
    await sees('ready')
    expect(seen()).toContain('xterm-256color\r\n30 100\r\n')
    channel.stdin.write('x')
    await sees('key:x')
    channel.resize({ columns: 120, rows: 40 })
    // A shell hears of it once what it waits for has ended: with the next key, should that come first.
    const pressed = () => {
      channel.stdin.write('y')
      return seen()
    }
    await expect.poll(pressed, { timeout: 8_000, interval: 200 }).toContain('40 120')
    channel.stdin.write('q')
    await sees('code: 7')
    expect((await channel.exit).code).toBe(0)
    expect(seen()).toContain('raw: false')
    expect(seen().trimEnd()).toMatch(/\sicanon$/)
  })

  it('takes Ctrl-C as a key, which ends the command there and not kraft here', async () => {
    const { channel, sees, seen } = await inTerminal('echo started; sleep 30')
    await sees('started')
    channel.stdin.write('\u0003')
    await sees('code: 130')
    await channel.exit
    expect(seen()).toContain('raw: false')
  })
})

async function isAlive(pid: string | undefined): Promise<boolean> {
  return readFile(`/proc/${pid}/stat`, 'utf8').then(
    (stat) => !stat.includes(') Z '),
    () => false,
  )
}
