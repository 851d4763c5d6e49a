import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { optionRows, readOptions, sshOptions } from '../../../engine/ssh/config.js'
import { failure, kraft } from '../../rig/cli.js'
import { type SshConfig, writeConfig } from '../../rig/ssh-configs.js'

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

/** What OpenSSH itself says, of the options that kraft reads. */
async function asked({ file, host }: SshConfig): Promise<string> {
  const { stdout } = await run('ssh', ['-F', file, '-o', 'IgnoreUnknown=*', '-G', host])
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
