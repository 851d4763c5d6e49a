import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Shell } from 'zx/core'
import { isKraftError } from '../../../engine/errors/failure.js'
import { localShell } from '../../../engine/shell/local.js'
import { remoteShell } from '../../../engine/shell/remote.js'
import { quote } from '../../../engine/shell/sh.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { freePort, type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
let connection: Connection
let $: Shell
let here: Shell

beforeAll(async () => {
  sshd = await startSshd()
  process.env.HOME = sshd.folder
  connection = connect({ record: sshd.record, configFile: sshd.configFile })
  // What runs on the node knows that it does.
  $ = await remoteShell(connection, (command) => `WHERE=node exec bash -c ${quote(command)}`)
  here = await localShell()
})
afterAll(async () => {
  await connection.close()
  await sshd.stop()
})

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

  it('does not look at the folder where kraft was called', async () => {
    expect((await $({ cwd: '/no/such/folder' })`echo fine`).stdout).toBe('fine\n')
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
