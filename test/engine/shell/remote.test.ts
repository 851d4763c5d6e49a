import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Shell, within } from 'zx/core'
import { isKraftError } from '../../../engine/errors/failure.js'
import { remoteShell } from '../../../engine/shell/remote.js'
import { secret } from '../../../engine/shell/secret.js'
import { quote } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { generatedStrings } from '../../rig/generated-strings.js'
import { type Shells, startShells } from '../../rig/shells.js'
import { freePort, type Sshd } from '../../rig/sshd.js'

let shells: Shells
let $: Shell
let here: Shell
let connection: Connection
let sshd: Sshd
beforeAll(async () => {
  // What runs on the node knows that it does.
  shells = await startShells((command) => `WHERE=node exec bash -c ${quote(command)}`)
  ;({ $, here, connection, sshd } = shells)
})
afterAll(() => shells.stop())

async function isAlive(pid: string): Promise<boolean> {
  return readFile(`/proc/${pid.trim()}/stat`, 'utf8').then(
    (stat) => !stat.includes(') Z '),
    () => false,
  )
}

describe('$ on a node', () => {
  it('runs there, in bash, as a login of the connection', async () => {
    expect((await $`echo $WHERE \${BASH_VERSION:+bash}`).stdout).toBe('node bash\n')
  })

  it('runs in bash without a wrapper as well', async () => {
    const plain = await remoteShell(connection)
    expect((await plain`[[ -n $SSH_CONNECTION ]] && echo remote`).stdout).toBe('remote\n')
  })

  it('quotes values, and lists as several words', async () => {
    const words = ["it's", '$HOME', 'a\nb', '', '*']
    const { stdout } = await $`printf '%s\\0' ${words} ${'last one'} ${7}`
    expect(stdout.split('\0')).toEqual([...words, 'last one', '7', ''])
  })

  it('gives lines, JSON, text and what was said on stderr', async () => {
    expect(await $`printf 'a\\nb\\n'`.lines()).toEqual(['a', 'b'])
    expect(await $`echo '{"a": [1]}'`.json()).toEqual({ a: [1] })
    expect((await $`echo out; echo err >&2`).stderr).toBe('err\n')
  })

  it.each(['here', 'there'])('ends where nobody reads on, as programs do: %s', async (where) => {
    const endless = (where === 'here' ? here : $)`echo $$; exec yes`.nothrow()
    let pid = ''
    for await (const line of endless) {
      pid ||= line
      if (line === 'y') break
    }
    expect((await endless).ok).toBe(false)
    expect(await isAlive(pid)).toBe(false)
  })

  it('can be read line by line while it runs', async () => {
    const seen: string[] = []
    for await (const line of $`for i in 1 2 3; do echo $i; done`) seen.push(line)
    expect(seen).toEqual(['1', '2', '3'])
  })

  it('throws for an exit code, and does not with nothrow', async () => {
    await expect($`exit 3`).rejects.toMatchObject({ exitCode: 3 })
    expect((await $`exit 4`.nothrow()).exitCode).toBe(4)
    expect((await $({ nothrow: true })`false; echo unreached`).stdout).toBe('')
    expect((await $({ nothrow: true })`kill -USR1 $$`).signal).toBe('SIGUSR1')
  })

  it('fails where a part of a pipe fails', async () => {
    await expect($`exit 5 | cat`).rejects.toMatchObject({ exitCode: 5 })
  })

  it('reads what it is given', async () => {
    expect((await $({ input: 'given\n' })`cat`).stdout).toBe('given\n')
    const running = $`cat`
    running.stdin.end('written\n')
    expect((await running).stdout).toBe('written\n')
    expect((await $({ stdio: ['ignore', 'pipe', 'pipe'] })`cat; echo end`).stdout).toBe('end\n')
  })

  it('pipes to this machine, from it, and between commands of the node', async () => {
    expect((await $`echo $WHERE`.pipe(here`cat; echo "\${WHERE:-here}"`)).stdout).toBe('node\nhere\n')
    expect((await here`echo "\${WHERE:-here}"`.pipe($`cat; echo $WHERE`)).stdout).toBe('here\nnode\n')
    expect((await $`printf 'b\\na\\n'`.pipe`sort; echo $WHERE`.pipe($`tac`)).stdout).toBe('node\nb\na\n')
    expect((await $({ nothrow: true })`exit 0`.pipe`echo $WHERE`).stdout).toBe('node\n')
  })

  it('moves 10 MB both ways through pipes of both kinds', async () => {
    const size = 10 << 20
    const sum = createHash('sha256').update(Buffer.alloc(size)).digest('hex')
    const { stdout } = await here`head -c ${size} /dev/zero`.pipe($`cat`).pipe(here`sha256sum`)
    expect(stdout).toContain(sum)
    expect((await $`head -c ${size} /dev/zero | tr '\\0' x`).stdout).toHaveLength(size)
  })

  it('is killed there, with all that it started', async () => {
    const running = $`echo $$; sleep 30 & sleep 30; echo done`.nothrow()
    const pid = await new Promise<string>((resolve) => running.stdout.once('data', (data) => resolve(String(data))))
    expect(await isAlive(pid)).toBe(true)
    await running.kill('SIGTERM')
    expect((await running).signal).toBe('SIGTERM')
    expect(await isAlive(pid)).toBe(false)
  })

  it('ends after its timeout', async () => {
    const started = Date.now()
    await expect($({ timeout: '100ms' })`sleep 20`).rejects.toMatchObject({ signal: 'SIGTERM' })
    await expect($`sleep 20`.timeout('100ms', 'SIGKILL')).rejects.toMatchObject({ signal: 'SIGKILL' })
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  it('ends with its abort signal', async () => {
    const control = new AbortController()
    const running = $({ signal: control.signal })`sleep 20`
    setTimeout(() => control.abort(), 50)
    await expect(running).rejects.toMatchObject({ signal: 'SIGTERM' })
  })

  it('runs in the folder of the node that cwd names', async () => {
    const cwd = join(sshd.folder, "some one's folder")
    await $`mkdir ${cwd}`
    expect((await $({ cwd })`pwd`).stdout).toBe(`${cwd}\n`)
    await expect($({ cwd: '/no/such/folder' })`echo unreached`).rejects.toMatchObject({ exitCode: 1, stdout: '' })
    const own = await remoteShell(connection)
    await within(async () => {
      Object.assign(own, { cwd: '/usr' })
      expect((await own`pwd`).stdout).toBe('/usr\n')
    })
    expect((await own`pwd`).stdout).not.toBe('/usr\n')
  })

  it('sets variables of env on the node, and takes none of this machine along', async () => {
    const env = { ...process.env, GREETING: "it's\n$HOME `x` \\", EMPTY: '' }
    const { stdout } = await $({
      env,
      input: 'its own input',
    })`printf '%s|' "$GREETING" "\${EMPTY-unset}" "\${VITEST-unset}"; cat`
    expect(stdout).toBe(`${env.GREETING}||unset|its own input`)
    await expect($({ env: { 'a-b': '1' } })`true`).rejects.toMatchObject({
      cause: { message: 'No shell knows a variable called "a-b"' },
    })
  })

  it('takes a secret to the command without a command line, an error or a log ever showing it', async () => {
    const value = "c4n'ary $HOME"
    const logged: unknown[] = []
    const $logged = $({ log: (entry: unknown) => void logged.push(entry), verbose: true })
    const running = $logged`printf %s ${secret(value, 'api key')} | wc -c; cat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '`
    const { stdout } = await running
    expect(stdout).toMatch(/^13\n/)
    expect(stdout).toContain('SECRET_API_KEY')
    expect([stdout, running.cmd, JSON.stringify(logged)].join()).not.toContain('c4n')
    expect((await here`printf %s ${[secret(value), secret('two')]}`).stdout).toBe(`${value}two`)
    expect(here.sync`printf %s ${secret(value)}`.stdout).toBe(value)
    const failed: unknown = await $`false ${secret(value)}`.catch((error: unknown) => error)
    expect(String(failed)).not.toContain('c4n')
  })

  it('runs in another shell', async () => {
    const $dash = $({ shell: 'dash', prefix: 'set -eu;' })
    expect((await $dash`echo \${BASH_VERSION-none} ${"it's"}`).stdout).toBe("none it's\n")
  })

  it('passes strings of every kind through bash and through dash unchanged', async () => {
    const strings = generatedStrings(10_000, 1)
    for (const shell of ['bash', 'dash']) {
      const $in = $({ shell, prefix: '' })
      for (let at = 0; at < strings.length; at += 500) {
        const part = strings.slice(at, at + 500)
        const { stdout } = await $in`printf '%s\\0' ${part}`.quiet()
        expect(stdout.split('\0').slice(0, -1)).toEqual(part)
      }
    }
  })

  it('is paused while a pipe takes nothing, and forgets what it has passed on', async () => {
    const source = $`head -c ${256 << 20} /dev/zero`.quiet()
    const sink = here`sleep 2; sha256sum`
    const piped = source.pipe(sink)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const { pid } = sink
    expect(pid).toBeGreaterThan(0)
    // What was read from the node by now fits into what may wait on the way.
    expect(sink.stdin.writableLength).toBeLessThan(8 << 20)
    const sum = createHash('sha256')
      .update(Buffer.alloc(256 << 20))
      .digest('hex')
    expect((await piped).stdout).toContain(sum)
    expect((await source).stdout.length).toBeLessThanOrEqual(17 << 20)
    expect(() => source.pipe(here`cat`)).toThrow('Too late to pipe')
  })

  it.each([
    ['sync', { sync: true }, 'cannot be synchronous'],
    ['detached', { detached: true }, 'ends with its connection'],
    ['preferLocal', { preferLocal: true }, 'node_modules/.bin of this machine'],
    ['a spawn of its own', { spawn: () => undefined }, 'started by kraft'],
  ])('refuses %s, which only makes sense on this machine', (_what, options, said) => {
    expect(() => $(options as never)).toThrow(said)
    expect(() => Object.assign($, options)).toThrow(said)
  })

  it('refuses to tie its output to a stream by stdio', async () => {
    const tied = $({ stdio: ['pipe', process.stdout, 'pipe'] })`true`
    await expect(tied).rejects.toMatchObject({ cause: { message: expect.stringContaining('use .pipe(it)') } })
  })

  it('has the rest of what zx documents', async () => {
    expect((await $`printf 'a b'`).text('hex')).toBe('612062')
    expect(await $`printf abc`.buffer()).toEqual(Buffer.from('abc'))
    expect(await (await $`printf abc`.blob()).text()).toBe('abc')
    expect(await $({ delimiter: '\0' })`printf 'a\\0b\\0'`.lines('\0')).toEqual(['a', 'b'])
    expect((await $`printf '%s-' ${await $`echo from a command`}`).stdout).toBe('from a command-')
    expect((await $`printf '%s-' ${Promise.resolve('later')}`).stdout).toBe('later-')
    const halted = $({ halt: true })`echo ran`
    expect(halted.stage).toBe('halted')
    expect((await halted.run()).stdout).toBe('ran\n')
    expect(await $`exit 9`.nothrow().exitCode).toBe(9)
    const file = join(sshd.folder, 'piped here')
    await $`echo to a file`.pipe(file)
    expect(await readFile(file, 'utf8')).toBe('to a file\n')
    expect((await $`echo out; echo err >&2`.pipe.stderr(here`cat`)).stdout).toBe('err\n')
    expect(
      await $`cat`
        .pipe($`cat`)
        .nothrow()
        .kill('SIGTERM')
        .then(() => 'killed'),
    ).toBe('killed')
  })

  it('cannot be synchronous', () => {
    expect(() => $.sync`true`).toThrow('cannot be synchronous')
  })

  it('rejects with the reason when the node cannot be reached', async () => {
    const lost = connect({ record: { ...sshd.record, port: await freePort() }, configFile: sshd.configFile })
    const $lost = await remoteShell(lost)
    const error: unknown = await $lost`true`.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ exitCode: 255 })
    expect(error instanceof Error && isKraftError(error.cause) && error.cause.failure.kind).toBe('unreachable')
  })
})

describe('$ of this machine', () => {
  it('is still killed by its own means', async () => {
    const running = here`sleep 30`.nothrow()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await running.kill('SIGKILL')
    expect((await running).signal).toBe('SIGKILL')
  })
})
