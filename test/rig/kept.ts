import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kraft } from './cli.js'
import { holdersOf } from './holders.js'
import { type CallOptions, call, kraftProgram, type Ran } from './kraft.js'
import { type Sshd, startSshd } from './sshd.js'

/** A home whose only node, `one`, is a real sshd on loopback, and the built kraft in it, which keeps its connections open. */
export interface Kept {
  readonly home: string
  readonly sshd: Sshd
  readonly env: Readonly<Record<string, string>>
  /** Calls kraft; `env` goes over the home's. */
  kraft(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
  /** Runs bash, in which `kraft` is the built one. */
  bash(script: string, options?: Partial<CallOptions>): Promise<Ran>
  /** Remembers `one` at another port, or with other host keys. */
  remember(port: number, hostKeys?: readonly string[]): Promise<void>
  /** How often somebody logged in so far. */
  logins(): Promise<number>
  /** The pids of the holders of this home. */
  holders(): Promise<readonly number[]>
  stop(): Promise<void>
}

/** Starts it; `config` are further lines of sshd_config. */
export async function startKept(config: readonly string[] = []): Promise<Kept> {
  const sshd = await startSshd(['LogLevel VERBOSE', ...config])
  const home = await mkdtemp(join(tmpdir(), 'kraft-kept-'))
  const own = join(home, '.kraftwerk')
  await mkdir(own, { mode: 0o700 })
  await copyFile(sshd.identity, join(own, 'id_ed25519'))
  const env = { HOME: home }
  const remember: Kept['remember'] = (port, hostKeys = sshd.hostKeys) => {
    const { user } = sshd.record
    const keys = hostKeys.map((key) => `    - ${key}`).join('\n')
    const text = `one:\n  provider: static\n  address: 127.0.0.1\n  port: ${port}\n  user: ${user}\n  host_keys:\n${keys}\n`
    return writeFile(join(own, 'nodes.yaml'), text)
  }
  await remember(sshd.port)
  const holders = () => holdersOf(home)
  const unused = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(KRAFT_|VITEST|NODE_|CI$|SSH_AUTH_SOCK$)/.test(name)),
  )
  return {
    home,
    sshd,
    env,
    kraft: (args, more = {}) => kraft(args, { cwd: home, env: { ...env, ...more } }),
    bash: (script, options = {}) =>
      call('bash', ['-c', `kraft() { '${process.execPath}' '${kraftProgram}' "$@"; }\n${script}`], {
        cwd: home,
        env: { ...unused, ...env },
        ...options,
      }),
    remember,
    logins: async () => (await sshd.log()).match(/^Accepted publickey/gm)?.length ?? 0,
    holders,
    async stop() {
      for (const pid of await holders()) process.kill(pid, 'SIGKILL')
      await sshd.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
