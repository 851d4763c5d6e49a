import { spawn } from 'node:child_process'
import { chmod, mkdir, open, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startDelay } from '../../../../bench/delay.mjs'
import { generateHostKey } from '../../../../engine/ssh/key-pair.js'
import { type Kept, startKept } from '../../../rig/kept.js'
import { kraftProgram } from '../../../rig/kraft.js'

let kept: Kept
beforeEach(async () => {
  kept = await startKept()
})
afterEach(() => kept.stop())

const say = (word: string) => ['run:one', '--', 'echo', word]

test('a second command logs in no more, and `kraft disconnect` ends what stayed open', async () => {
  expect(await kept.kraft(say('first'))).toMatchObject({ code: 0, stdout: 'first\n', stderr: '' })
  expect(await kept.kraft(say('second'))).toMatchObject({ code: 0, stdout: 'second\n', stderr: '' })
  expect(await kept.logins()).toBe(1)
  expect(await kept.holders()).toHaveLength(1)
  const { port } = kept.sshd
  expect(await kept.kraft(['disconnect:one'])).toMatchObject({
    code: 0,
    stdout: `Ended the connection to one (${kept.sshd.record.user}@127.0.0.1, port ${port})\n`,
  })
  await gone()
  expect((await kept.kraft(['disconnect'])).stdout).toBe('No connection is open\n')
  expect((await kept.kraft(say('third'))).stdout).toBe('third\n')
  expect(await kept.logins()).toBe(2)
})

test('input, output and exit code pass as they do without', async () => {
  const script = 'cat; echo bad >&2; exit 7'
  const ran = await kept.bash(
    `kraft run:one -- true; head -c 3000000 /dev/zero | kraft run:one -- sh -c '${script}' | wc -c; exit \${PIPESTATUS[1]}`,
  )
  expect(ran).toMatchObject({ code: 7, stdout: '3000000\n', stderr: 'bad\n' })
})

test('a connection that nobody uses ends after the seconds that were set', async () => {
  await kept.kraft(say('x'), { KRAFT_KEEP_CONNECTIONS: '1' })
  await gone()
  expect(await readdir(join(kept.home, '.kraftwerk', 'warm'))).toEqual([])
})

test.each([{ CI: 'true' }, { KRAFT_KEEP_CONNECTIONS: '0' }, { KRAFT_KEEP_CONNECTIONS: 'false' }])(
  'nothing stays open with %j',
  async (env) => {
    await kept.kraft(say('x'), env)
    await kept.kraft(say('x'), env)
    expect(await kept.logins()).toBe(2)
    expect(await kept.holders()).toEqual([])
  },
)

test('who sets it has it under CI as well', async () => {
  await kept.kraft(say('x'), { CI: 'true', KRAFT_KEEP_CONNECTIONS: '60' })
  expect(await kept.holders()).toHaveLength(1)
})

test('a shell that waits for the end of output, or shares a lock with kraft, does not wait for the connection', async () => {
  const ran = await kept.bash(
    '( flock 9; word=$(kraft run:one -- echo hi 2>&1); echo "$word" ) 9>lock 7>other | cat; flock -n lock echo free',
    { seconds: 30 },
  )
  expect(ran).toMatchObject({ code: 0, stdout: 'hi\nfree\n' })
  const [holder] = await kept.holders()
  expect(holder).toBeDefined()
  const [, , , session] = (await readFile(`/proc/${holder}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  expect(session).toBe(String(holder))
})

test('commands that start at once share one connection', async () => {
  const all = await Promise.all(['a', 'b', 'c', 'd'].map((word) => kept.kraft(say(word))))
  expect(all.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n', 'd\n'])
  expect(await kept.logins()).toBe(1)
  expect(await kept.holders()).toHaveLength(1)
})

test('a connection that nobody can find any more ends by itself', async () => {
  await kept.kraft(say('x'))
  await rm(join(kept.home, '.kraftwerk', 'warm'), { recursive: true })
  await gone()
})

test('what a holder leaves that was killed is no obstacle', async () => {
  await kept.kraft(say('x'))
  const [holder] = await kept.holders()
  process.kill(Number(holder), 'SIGKILL')
  await gone()
  expect(await kept.kraft(say('again'))).toMatchObject({ code: 0, stdout: 'again\n', stderr: '' })
})

test('the death of a holder ends a command as the loss of its connection does, and runs nothing twice', async () => {
  await kept.kraft(say('x'))
  const [holder] = await kept.holders()
  const mark = join(kept.home, 'mark')
  const running = kept.kraft(['run:one', '--', 'sh', '-c', `echo run >>${mark}; while [ -e ${mark} ]; do sleep .1; done`])
  while ((await readFile(mark, 'utf8').catch(() => '')) === '') await sleep(20)
  process.kill(Number(holder), 'SIGKILL')
  expect(await running).toMatchObject({ code: 255, stderr: expect.stringContaining('one: the connection was lost') })
  expect(await readFile(mark, 'utf8')).toBe('run\n')
})

test('a kraft that is killed takes its command along, and leaves the others alone', async () => {
  await kept.kraft(say('x'))
  const [up, ended] = [join(kept.home, 'up'), join(kept.home, 'ended')]
  const script = `echo >${up}; cat; echo >${ended}`
  const dying = spawn(process.execPath, [kraftProgram, 'run:one', '--', 'sh', '-c', script], {
    cwd: kept.home,
    env: { PATH: process.env.PATH, ...kept.env },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  while ((await readFile(up, 'utf8').catch(() => undefined)) === undefined) await sleep(20)
  dying.kill('SIGKILL')
  while ((await readFile(ended, 'utf8').catch(() => undefined)) === undefined) await sleep(20)
  expect((await kept.kraft(say('still'))).stdout).toBe('still\n')
  expect(await kept.logins()).toBe(1)
})

test('an older connection is not used once other host keys are remembered', async () => {
  await kept.kraft(say('x'))
  await kept.remember(kept.sshd.port, [generateHostKey().publicKey])
  expect(await kept.kraft(say('x'))).toMatchObject({ code: 255, stderr: expect.stringContaining('its host key changed') })
})

test('a server that falls silent ends the command within 15 seconds or so, and the next one connects anew', async () => {
  const cable = await startDelay(kept.sshd.port, 0)
  await kept.remember(cable.port)
  await kept.kraft(say('x'))
  const running = kept.kraft(['run:one', '--', 'sh', '-c', `while [ -e ${kept.home} ]; do sleep .1; done`])
  while (!(await kept.sshd.log()).includes('Starting session: command for')) await sleep(20)
  cable.cut()
  expect(await running).toMatchObject({ code: 255, stderr: expect.stringContaining('one: the connection was lost') })
  expect((await kept.kraft(say('again'))).stdout).toBe('again\n')
  expect(await kept.logins()).toBe(2)
  await cable.stop()
}, 60_000)

test('a connection that died while nobody used it is replaced before a command is run', async () => {
  const cable = await startDelay(kept.sshd.port, 0)
  await kept.remember(cable.port)
  await kept.kraft(say('x'))
  cable.cut()
  await sleep(8_000)
  expect(await kept.kraft(say('again'))).toMatchObject({ code: 0, stdout: 'again\n' })
  expect(await kept.logins()).toBe(2)
  await cable.stop()
}, 60_000)

test('nothing is kept in a folder that others can enter, or that is somewhere else', async () => {
  const warm = join(kept.home, '.kraftwerk', 'warm')
  await mkdir(warm)
  await chmod(warm, 0o755)
  expect(await kept.kraft(say('open'))).toMatchObject({
    code: 0,
    stdout: 'open\n',
    stderr: expect.stringContaining(`no connection is kept for the next command: ${warm} is open to others (mode 755)`),
  })
  expect(await kept.holders()).toEqual([])
})

test('nothing is kept behind a link, whoever made it', async () => {
  const warm = join(kept.home, '.kraftwerk', 'warm')
  await mkdir(join(kept.home, 'elsewhere'), { mode: 0o700 })
  await symlink(join(kept.home, 'elsewhere'), warm)
  expect(await kept.kraft(say('link'))).toMatchObject({ code: 0, stderr: expect.stringContaining(`${warm} is no folder`) })
})

test('a holder has no private key in its memory', async () => {
  const pem = await readFile(kept.sshd.identity, 'utf8')
  const blob = Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64')
  // The last block of the file: comment, padding and before them the secret half of the key.
  const at = blob.lastIndexOf(Buffer.from([0, 0, 0, 64]))
  const secret = blob.subarray(at + 4, at + 36)
  await kept.kraft(say('x'))
  const [holder] = await kept.holders()
  const memory = await memoryOf(Number(holder))
  expect(memory.some((part) => part.includes(Buffer.from('keeps a connection')))).toBe(true)
  expect(memory.some((part) => part.includes(secret))).toBe(false)
  expect(memory.some((part) => part.includes(Buffer.from('PRIVATE KEY-----\nb3')))).toBe(false)
})

async function memoryOf(pid: number): Promise<Buffer[]> {
  const maps = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n').map((row) => /^(\w+)-(\w+) rw/.exec(row))
  const handle = await open(`/proc/${pid}/mem`)
  const parts: Buffer[] = []
  for (const row of maps) {
    if (row === null) continue
    const [from, to] = [Number.parseInt(row[1] ?? '', 16), Number.parseInt(row[2] ?? '', 16)]
    const part = Buffer.alloc(to - from)
    const { bytesRead } = await handle.read(part, 0, part.length, from).catch(() => ({ bytesRead: 0 }))
    parts.push(part.subarray(0, bytesRead))
  }
  await handle.close()
  return parts
}

async function gone(): Promise<void> {
  while ((await kept.holders()).length > 0) await sleep(50)
}
