import { execFile } from 'node:child_process'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KraftError } from '../errors/failure.js'

const run = promisify(execFile)

/** Whom to connect to, as far as kraft knows it; what is left out comes from ~/.ssh/config. */
export interface Destination {
  /** The node's name, which is the alias that ~/.ssh/config may know. */
  readonly name: string
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  /** The only host keys to accept, as in {@link import('../node/record.js').NodeRecord.host_keys}. */
  readonly hostKeys: readonly string[]
  /** Jump hosts to go through, first to last; left out: as ~/.ssh/config says. */
  readonly jumps?: readonly string[] | undefined
}

/** The options of OpenSSH that count for kraft, for one destination. */
export interface SshOptions {
  readonly hostName: string
  readonly port: number
  readonly user: string
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  /** The socket of the agent, if there is one. */
  readonly agent: string | undefined
  readonly jumps: readonly string[]
  readonly proxyCommand: string | undefined
  readonly userKnownHosts: readonly string[]
  readonly globalKnownHosts: readonly string[]
  readonly hostKeyAlias: string | undefined
  readonly hashKnownHosts: boolean
  /** `yes`: a new host is refused without a question. `ask`: it is a question. `weaker`: the user asked for less; kraft asks. */
  readonly strict: 'yes' | 'ask' | 'weaker'
}

/**
 * The options that OpenSSH would use, by its own word (`ssh -G`); sane defaults where OpenSSH is not installed.
 * What the destination says itself wins, while Host and Match blocks still see its name.
 */
export async function sshOptions(destination: Destination, configFile?: string): Promise<SshOptions> {
  const { name, address, port, user } = destination
  const given = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(address === undefined || address === name ? [] : ['-o', `HostName=${address}`]),
    ...(port === undefined ? [] : ['-o', `Port=${port}`]),
    ...(user === undefined || user === '' ? [] : ['-o', `User=${user}`]),
  ]
  const text = await run('ssh', ['-G', ...given, '--', name]).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
      throw wrongConfig(said, name, error)
    },
  )
  return read(text, destination)
}

function wrongConfig(said: string, name: string, cause: unknown): KraftError {
  const [, file, line, message] = /^(.*?): line (\d+): (.*)$/m.exec(said) ?? []
  const next = `Try: ssh -G ${name}`
  if (file === undefined || message === undefined) {
    return new KraftError({ kind: 'unreachable', node: name, message: `ssh cannot read its configuration: ${said}`, next }, cause)
  }
  return new KraftError({ kind: 'setting', place: { file, line: Number(line) }, message, next }, cause)
}

/** Reads what `ssh -G` prints: one option a row, in lower case, some several times. */
function read(text: string, destination: Destination): SshOptions {
  const rows = text.split('\n').map((row): [string, string] => {
    const space = row.indexOf(' ')
    return space < 0 ? [row, ''] : [row.slice(0, space), row.slice(space + 1).trim()]
  })
  const all = (key: string): string[] => rows.filter(([name]) => name === key).map(([, value]) => value)
  const one = (key: string): string | undefined => all(key).find((value) => value !== '' && value !== 'none')

  const hostName = one('hostname') ?? destination.address ?? destination.name
  const port = Number(one('port') ?? destination.port ?? 22)
  const user = one('user') ?? destination.user ?? userInfo().username
  const hostKeyAlias = one('hostkeyalias')
  const tokens: Tokens = { '%': '%', d: homedir(), h: hostName, k: hostKeyAlias ?? destination.name, n: destination.name }
  const path = (value: string): string => expand(value, { ...tokens, p: String(port), r: user, u: userInfo().username })
  const files = (key: string, fallback: readonly string[]): string[] =>
    (one(key)?.split(' ') ?? fallback).filter((file) => file !== 'none').map(path)
  const identities = text === '' ? standardIdentities : all('identityfile').filter((file) => file !== 'none')
  const strict = one('stricthostkeychecking') ?? 'ask'
  return {
    hostName,
    port,
    user,
    identityFiles: [...new Set(identities.map(path))],
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentSocket(all('identityagent')[0], path),
    jumps: destination.jumps ?? one('proxyjump')?.split(',') ?? [],
    proxyCommand:
      destination.jumps === undefined ? proxy(one('proxycommand'), { ...tokens, p: String(port), r: user }) : undefined,
    userKnownHosts: files('userknownhostsfile', ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']).map(atHome),
    globalKnownHosts: files('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    hostKeyAlias,
    hashKnownHosts: one('hashknownhosts') === 'yes',
    strict: strict === 'true' || strict === 'yes' ? 'yes' : strict === 'ask' ? 'ask' : 'weaker',
  }
}

// OpenSSH takes the home from the password file, kraft from the environment as everything else of kraft does.
function atHome(file: string): string {
  const home = join(userInfo().homedir, '.ssh/')
  return file.startsWith(home) ? join(homedir(), '.ssh', file.slice(home.length)) : file
}

function proxy(command: string | undefined, tokens: Tokens): string | undefined {
  return command?.replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole)
}

/** The identity files that OpenSSH tries where none is configured. */
export const standardIdentities: readonly string[] = ['rsa', 'ecdsa', 'ecdsa_sk', 'ed25519', 'ed25519_sk', 'xmss', 'dsa'].map(
  (kind) => `~/.ssh/id_${kind}`,
)

type Tokens = Readonly<Record<string, string>>

/** Expands `~`, `${VARIABLE}` and the percent tokens that paths in ssh_config may hold. */
export function expand(value: string, tokens: Tokens = {}): string {
  const home = value === '~' || value.startsWith('~/') ? join(homedir(), value.slice(1)) : value
  return home
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole)
}

function agentSocket(value: string | undefined, path: (value: string) => string): string | undefined {
  if (value === 'none') return undefined
  if (value === undefined || value === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK || undefined
  return (value.startsWith('$') && !value.startsWith('${') ? process.env[value.slice(1)] : path(value)) || undefined
}
