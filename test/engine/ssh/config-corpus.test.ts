import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { optionRows, readOptions, sshOptions } from '../../../engine/ssh/config.js'
import { connect } from '../../../engine/ssh/connect.js'
import { sameForAll } from '../../../engine/ssh/same-for-all.js'
import { disconnect } from '../../../engine/ssh/warm/disconnect.js'
import { connectWarm } from '../../../engine/ssh/warm/warm-connection.js'
import { failure, kraft } from '../../rig/cli.js'
import { headsForAll, type SshConfig, writeConfig } from '../../rig/ssh-configs.js'
import { startSshd } from '../../rig/sshd.js'

const run = promisify(execFile)
let folder: string
const configs: SshConfig[] = []

beforeAll(async () => {
  process.env.HOME = userInfo().homedir
  process.env.SSH_AUTH_SOCK = '/nowhere/agent'
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-corpus-'))
  for (let seed = 1; seed <= 200; seed++) configs.push(await writeConfig(folder, seed))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What OpenSSH itself says, of the options that kraft reads; asked again to pass over options only where it knows one not. */
async function asked({ file, host }: SshConfig, more: readonly string[] = []): Promise<string> {
  const { stdout } = await run('ssh', ['-F', file, ...more, '-G', host]).catch((error: unknown) => {
    if (!String(error).includes('Bad configuration option')) throw error
    return run('ssh', ['-F', file, ...more, '-o', 'IgnoreUnknown=*', '-G', host])
  })
  return stdout
    .split('\n')
    .map((row) => row.trimEnd())
    .filter((row) => readOptions.some((name) => row === name || row.startsWith(`${name} `)))
    .join('\n')
}

async function each(body: (config: SshConfig) => Promise<void>): Promise<void> {
  const left = [...configs]
  const work = async () => {
    for (let config = left.pop(); config !== undefined; config = left.pop()) await body(config)
  }
  await Promise.all([work(), work()])
}

it('are those of OpenSSH for 200 configurations made by chance', { timeout: 120_000 }, async () => {
  const seen = new Set<string>()
  await each(async (config) => {
    const rows = (await optionRows({ name: config.host, hostKeys: [] }, config.file)).map((row) => row.join(' ')).join('\n')
    seen.add(rows)
    if (rows !== (await asked(config))) expect(`${await readFile(config.file, 'utf8')}\n${rows}`).toBe(await asked(config))
  })
  // A corpus whose answers are all alike would prove nothing.
  expect(seen.size).toBeGreaterThan(100)
})

it('are those of OpenSSH for nodes that nodes.yaml remembers, also where ssh is asked once for all of them', {
  timeout: 120_000,
}, async () => {
  const alike: SshConfig[] = []
  for (let seed = 1; seed <= 200; seed++) {
    const config = await writeConfig(join(folder, 'all'), seed, headsForAll)
    if ((await sameForAll(config.file)) !== undefined) alike.push(config)
  }
  // Else the short way would not be tried.
  expect(alike.length).toBeGreaterThan(10)
  for (const { file } of [...alike, ...configs.slice(0, 10)]) {
    for (const [address, port] of [
      ['10.1.2.3', 2200],
      ['10.1.2.4', undefined],
    ] as const) {
      const rows = await optionRows({ name: 'web1', address, port, user: 'ann', hostKeys: [] }, file)
      const given = ['-o', `HostName=${address}`, ...(port === undefined ? [] : ['-o', `Port=${port}`]), '-o', 'User=ann']
      const said = await asked({ file, host: 'web1' }, given)
      expect(rows.map((row) => row.join(' ')).join('\n'), await readFile(file, 'utf8')).toBe(said)
    }
  }
})

it('run what Match exec says as often as ssh does, and with the same words', async () => {
  const sshd = await startSshd()
  process.env.HOME = sshd.folder
  const note = join(sshd.folder, 'ran')
  const configFile = join(sshd.folder, 'with-exec')
  const lines = [
    `Match exec "echo '%h %n %p %r %u %d %% %l' >>${note}"`,
    'HashKnownHosts yes',
    `Match originalhost one user ${sshd.record.user} exec "echo second >>${note}"`,
    `Match host elsewhere exec "echo never >>${note}"`,
    `Match !exec "echo third >>${note}; false"`,
  ]
  await writeFile(configFile, [await readFile(sshd.configFile, 'utf8'), ...lines, ''].join('\n'))
  await writeFile(sshd.knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]}\n`)
  const ran = async () => {
    const text = await readFile(note, 'utf8')
    await rm(note)
    return text.replaceAll(userInfo().homedir, '~').replaceAll(sshd.folder, '~')
  }
  const { address, port, user } = sshd.record
  await run('ssh', ['-F', configFile, '-o', `HostName=${address}`, '-p', String(port), '-l', user, 'one', 'true'])
  const expected = await ran()
  expect(expected.split('\n')).toHaveLength(4)

  const direct = connect({ record: sshd.record, configFile })
  for (let count = 0; count < 2; count++) await direct.capture('true')
  await direct.close()
  expect(await ran()).toBe(expected)
  const program = fileURLToPath(new URL('../../../dist/engine/ssh/warm/holder.js', import.meta.url))
  for (let count = 0; count < 2; count++) {
    const warm = connectWarm({ record: sshd.record, configFile, program, keep: 60, version: '1.0.0' })
    await warm.capture('true')
    await warm.close()
    expect(await ran()).toBe(expected)
  }
  expect(await disconnect(() => true)).toHaveLength(1)
  process.env.HOME = userInfo().homedir
  await sshd.stop()
})

it('have their tokens and homes filled in as OpenSSH fills them in', { timeout: 120_000 }, async () => {
  let compared = 0
  await each(async (config) => {
    // Neither name nor user of these is in the configuration alone.
    if (/@|:/.test(config.host)) return
    const options = await sshOptions({ name: config.host, hostKeys: [] }, config.file)
    if (options.jumps.length > 0 || !options.proxyCommand?.startsWith('false')) return
    const said = await run('ssh', ['-F', config.file, '-o', 'IgnoreUnknown=*', '-o', 'LogLevel=DEBUG1', config.host]).then(
      () => '',
      (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : ''),
    )
    const ran = /Executing proxy command: exec (.*)/.exec(said)?.[1]?.trim()
    const files = [...said.matchAll(/identity file (.*) type -?\d+/g)].map((found) => found[1])
    expect(options.proxyCommand).toBe(ran)
    const text = await readFile(config.file, 'utf8')
    expect(options.identityFiles, text).toEqual([...new Set(files.filter((file) => file?.endsWith('-cert') !== true))])
    compared++
  })
  expect(compared).toBeGreaterThan(10)
})

it('are printed by kraft ssh-options, in no project and for a host that no one knows', { timeout: 60_000 }, async () => {
  for (const config of configs.slice(0, 5)) {
    const ran = await kraft(['ssh-options', config.host, '--config', config.file], { cwd: folder, env: { HOME: folder } })
    expect([ran.code, ran.stdout.trimEnd()]).toEqual([0, await asked(config)])
  }
})

it('name what is wrong with a configuration or a host', async () => {
  const there = { cwd: folder, env: { HOME: folder } }
  const missing = await kraft(['ssh-options', 'one', '--config', 'absent'], there)
  expect([missing.code, failure(missing.stderr)]).toEqual([2, expect.stringMatching(/absent: cannot be read: No such file/)])
  const odd = await kraft(['ssh-options', 'a;b'], there)
  expect([odd.code, failure(odd.stderr)]).toEqual([2, expect.stringContaining('"a;b" cannot be the name of a host')])
})

it('say on stderr where kraft is stricter, and stdout stays what OpenSSH says', async () => {
  const file = join(folder, 'weak')
  await writeFile(file, 'StrictHostKeyChecking accept-new\n')
  const ran = await kraft(['ssh-options', 'one', '--config', file], { cwd: folder, env: { HOME: folder } })
  expect(ran.stdout).toContain('\nstricthostkeychecking accept-new\n')
  expect(ran.stderr).toContain('it takes stricthostkeychecking accept-new as ask')
})
