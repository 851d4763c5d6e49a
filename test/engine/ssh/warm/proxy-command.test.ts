import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { disconnect } from '../../../../engine/ssh/warm/disconnect.js'
import { connectWarm } from '../../../../engine/ssh/warm/warm-connection.js'
import { failureOf, freshHome } from '../../../rig/home.js'
import { program as asProgram } from '../../../rig/program.js'
import { type Sshd, startSshd } from '../../../rig/sshd.js'
import { inTerminal } from '../../../rig/terminal.js'

const program = fileURLToPath(new URL('../../../../dist/engine/ssh/warm/holder.js', import.meta.url))
const current = freshHome()
const folder = process.cwd()
let sshd: Sshd
let notes: string[]
beforeEach(async () => {
  sshd = await startSshd()
  notes = []
})
afterEach(async () => {
  process.chdir(folder)
  await disconnect(() => true)
  await sshd.stop()
})

const logins = async () => (await sshd.log()).match(/^Accepted publickey/gm)?.length ?? 0
const calls = async () => (await readFile(join(current.home, 'calls'), 'utf8').catch(() => '')).split('\n').length - 1

/** Makes a way to the node that goes through a program, which does something first. */
async function through(first: string, lines: readonly string[] = []): Promise<string> {
  const script = join(current.home, 'proxy')
  const pass = "const s=require('net').connect(process.argv[1],process.argv[2]);process.stdin.pipe(s).pipe(process.stdout)"
  await writeFile(
    script,
    `#!/bin/sh\necho $$ >>${current.home}/calls\n${first}\nexec ${process.execPath} -e "${pass}" "$2" "$1"\n`,
  )
  await chmod(script, 0o755)
  const configFile = join(current.home, 'config')
  const own = lines.length > 0 ? lines : [`ProxyCommand ${script} %h %p`]
  await writeFile(configFile, [...own, await readFile(sshd.configFile, 'utf8')].join('\n'))
  return configFile
}

async function run(configFile: string, command: string): Promise<string> {
  const note = (text: string) => void notes.push(text)
  const connection = connectWarm({ record: sshd.record, configFile, program, keep: 60, version: '1.0.0', note })
  try {
    return (await connection.capture(command)).stdout
  } finally {
    await connection.close()
  }
}

test('a way through a ProxyCommand is kept, what it says is told, and it ends with the connection', async () => {
  const configFile = await through('echo "by way of $1" >&2')
  expect(await run(configFile, 'echo first')).toBe('first\n')
  expect(await run(configFile, 'echo second')).toBe('second\n')
  expect([await logins(), await calls(), notes]).toEqual([1, 1, ['by way of 127.0.0.1']])
  const pid = Number(await readFile(join(current.home, 'calls'), 'utf8'))
  expect(await disconnect(() => true)).toHaveLength(1)
  const command = () => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  await expect.poll(command, { timeout: 5_000 }).toBe('')
})

test('it runs in the folder of who connects', async () => {
  const there = join(current.home, 'there')
  await mkdir(there)
  process.chdir(there)
  const configFile = await through('pwd >&2', ['ProxyCommand ../proxy %h %p'])
  expect(await run(configFile, 'echo here')).toBe('here\n')
  expect(notes).toEqual([there])
})

test('so is one through a jump host that is reached by a command', async () => {
  const { user, port } = sshd.record
  const host = (name: string) => [`Host ${name}`, 'HostName 127.0.0.1', `Port ${port}`, `User ${user}`]
  await writeFile(sshd.knownHosts, `[127.0.0.1]:${port} ${sshd.hostKeys[0]}\n`)
  const configFile = await through('echo "by way of $1" >&2', [
    'Host one',
    'ProxyJump first',
    ...host('first'),
    `ProxyCommand ${current.home}/proxy %h %p`,
    'Host *',
  ])
  expect(await run(configFile, 'echo first')).toBe('first\n')
  expect(await run(configFile, 'echo second')).toBe('second\n')
  expect([await logins(), await calls(), notes]).toEqual([2, 1, ['by way of 127.0.0.1']])
})

test('one that asks something is started again with the terminal of who connects, and nothing ran before', async () => {
  const configFile = await through('printf "Token: " >/dev/tty || exit 1; read -r token </dev/tty; [ "$token" = open ] || exit 1')
  const fixture = fileURLToPath(new URL('warm.fixture.ts', import.meta.url))
  const rooms = ['config', 'errors', 'files', 'node', 'shell', 'ssh'].map((room) => `engine/${room}`)
  const client = await asProgram(fixture, rooms)
  const mark = join(current.home, 'ran')
  const words = [process.execPath, client.file, JSON.stringify(sshd.record), configFile, program, `echo ran >>${mark}; echo end`]
  const terminal = await inTerminal(words, { columns: 200, rows: 24, cwd: current.home, env: process.env })
  try {
    await terminal.sees('no connection is kept for the next command: its ProxyCommand does not connect without a terminal')
    await terminal.sees('Token: ')
    terminal.type('open\r')
    await terminal.sees('end')
    expect(await terminal.ended()).toBe(0)
  } finally {
    terminal.kill()
    await client.remove()
  }
  expect([await readFile(mark, 'utf8'), await logins(), await calls()]).toEqual(['ran\n', 1, 2])
  expect(await disconnect(() => true)).toEqual([])
}, 60_000)

test('one that lets nobody in fails as it does without', async () => {
  const configFile = await through('true')
  await writeFile(join(sshd.folder, 'authorized_keys'), '')
  expect(await failureOf(run(configFile, 'true'))).toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('the server let none of your keys in'),
  })
  expect(await calls()).toBe(1)
})
