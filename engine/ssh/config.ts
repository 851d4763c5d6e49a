import { execFile } from 'node:child_process'
import { homedir, hostname, type UserInfo, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KraftError } from '../errors/failure.js'
import { keep, kept, named } from '../files/private-cache.js'
import type { Destination } from './destination.js'
import { programOf } from './installed.js'
import { sameForAll } from './same-for-all.js'

const run = promisify(execFile)

let known: UserInfo<string> | undefined

// The system is asked once: it reads the password file each time.
function me(): UserInfo<string> {
  known ??= userInfo()
  return known
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

/** The options of ssh_config that kraft reads, in lower case as `ssh -G` prints them. */
export const readOptions = [
  'user',
  'hostname',
  'port',
  'hashknownhosts',
  'identitiesonly',
  'stricthostkeychecking',
  'globalknownhostsfile',
  'hostkeyalias',
  'identityagent',
  'identityfile',
  'proxycommand',
  'proxyjump',
  'userknownhostsfile',
] as const

/** One option as `ssh -G` prints it; lists of hosts and files are one value, IdentityFile is several rows. */
export type OptionRow = readonly [name: (typeof readOptions)[number], value: string]

/**
 * The options that OpenSSH would use, by its own word (`ssh -G`); sane defaults where OpenSSH is not installed.
 * What the destination says itself wins, while Host and Match blocks still see its name.
 *
 * @throws KraftError `setting` with file and line where ssh_config is wrong; an option that this ssh does not know is passed over.
 */
export async function sshOptions(destination: Destination, configFile?: string): Promise<SshOptions> {
  return read(await optionRows(destination, configFile), destination)
}

/**
 * The effective rows of `ssh -G` that kraft reads, in its order; without an installed OpenSSH its defaults.
 *
 * @example (await optionRows({ name: 'one', hostKeys: [] }))[0] // ['user', 'me']
 */
export async function optionRows(destination: Destination, configFile?: string): Promise<readonly OptionRow[]> {
  const { name, address, port, user } = destination
  // Asking ssh takes as much processor time as half a handshake: for a fleet that is configured alike it is asked once.
  if (address !== undefined && address !== name && !address.includes('%')) {
    const rows = await rowsForAll(configFile)
    if (rows !== undefined) {
      const own: Readonly<Partial<Record<OptionRow[0], string | undefined>>> = {
        hostname: address,
        port: port?.toString(),
        user: user === '' ? undefined : user,
      }
      return rows.map(([key, value]): OptionRow => [key, own[key] ?? value])
    }
  }
  return askSsh(destination, configFile)
}

const looking = new Map<string | undefined, Promise<readonly OptionRow[] | undefined>>()

/** What ssh says of any host that has an address of its own; undefined where hosts may differ. */
function rowsForAll(configFile: string | undefined): Promise<readonly OptionRow[] | undefined> {
  // All nodes of a fleet ask at the same moment, and the configuration is looked at once for them.
  const found = looking.get(configFile) ?? lookForAll(configFile).finally(() => looking.delete(configFile))
  looking.set(configFile, found)
  return found
}

const asked = new Map<string, Promise<readonly OptionRow[] | undefined>>()

async function lookForAll(configFile: string | undefined): Promise<readonly OptionRow[] | undefined> {
  const text = await sameForAll(configFile)
  if (text === undefined) return undefined
  const key = `${configFile}\n${text}`
  // What is wrong with the configuration is told when the host itself is asked about.
  const rows = asked.get(key) ?? keptOrAsked(text, configFile).catch(() => undefined)
  asked.set(key, rows)
  return rows
}

// What it says hangs on the text, on who asks and on this ssh alone, so that the next command need not start it again.
async function keptOrAsked(text: string, configFile: string | undefined): Promise<readonly OptionRow[]> {
  const name = configFile === undefined ? 'ssh' : named('ssh', configFile)
  const program = programOf('ssh')
  const { uid, username, homedir: home } = me()
  const key = [program, uid, username, home, readOptions, text]
  const before = program === undefined ? undefined : await kept(name, key)
  if (before !== undefined) return before as readonly OptionRow[]
  const rows = await askSsh({ name: 'any', address: '192.0.2.1', hostKeys: [] }, configFile)
  if (program !== undefined) await keep(name, key, rows)
  return rows
}

async function askSsh(destination: Destination, configFile: string | undefined): Promise<readonly OptionRow[]> {
  const { name, address, port, user } = destination
  const given = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    // The zone of a link-local address (fe80::1%eth0) is no token.
    ...(address === undefined || address === name ? [] : ['-o', `HostName=${address.replaceAll('%', '%%')}`]),
    ...(port === undefined ? [] : ['-o', `Port=${port}`]),
    ...(user === undefined || user === '' ? [] : ['-o', `User=${user}`]),
    // The ssh of another machine may know more options than the one here.
    '-o',
    'IgnoreUnknown=*',
  ]
  const text = await run('ssh', ['-G', ...given, '--', name]).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
      throw wrongConfig(said, name, error)
    },
  )
  return text === undefined ? defaultRows(destination) : rowsOf(text)
}

function wrongConfig(said: string, name: string, cause: unknown): KraftError {
  const [, file, line, message] = /^(.*?):? line (\d+): (.*)$/m.exec(said) ?? []
  const next = `Try: ssh -G ${name}`
  if (file !== undefined && message !== undefined)
    return new KraftError({ kind: 'setting', place: { file, line: Number(line) }, message, next }, cause)
  const [, absent, reason] = /^Can't open user config file (.*): (.*)$/m.exec(said) ?? []
  if (absent !== undefined)
    return new KraftError({ kind: 'setting', place: { file: absent }, message: `cannot be read: ${reason}` }, cause)
  if (/hostname contains invalid characters/.test(said))
    return new KraftError({ kind: 'usage', message: `"${name}" cannot be the name of a host` }, cause)
  return new KraftError({ kind: 'unreachable', node: name, message: `ssh cannot read its configuration: ${said}`, next }, cause)
}

function rowsOf(text: string): OptionRow[] {
  return text.split('\n').flatMap((row): OptionRow[] => {
    const space = row.indexOf(' ')
    const name = readOptions.find((each) => each === (space < 0 ? row : row.slice(0, space)))
    return name === undefined ? [] : [[name, space < 0 ? '' : row.slice(space + 1).trim()]]
  })
}

function defaultRows({ name, address, port, user }: Destination): OptionRow[] {
  return [
    ['user', user || me().username],
    ['hostname', address ?? name],
    ['port', String(port ?? 22)],
    ['hashknownhosts', 'no'],
    ['identitiesonly', 'no'],
    ['stricthostkeychecking', 'ask'],
    ['globalknownhostsfile', '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'],
    ...standardIdentities.map((file): OptionRow => ['identityfile', file]),
    ['userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2'],
  ]
}

function read(rows: readonly OptionRow[], destination: Destination): SshOptions {
  const all = (key: OptionRow[0]): string[] => rows.filter(([name]) => name === key).map(([, value]) => value)
  const one = (key: OptionRow[0]): string | undefined => all(key).find((value) => value !== '')
  const set = (key: OptionRow[0]): string | undefined => all(key).find((value) => value !== '' && value !== 'none')

  const hostName = one('hostname') ?? destination.address ?? destination.name
  const port = Number(one('port') ?? destination.port ?? 22)
  const user = one('user') ?? destination.user ?? me().username
  const hostKeyAlias = set('hostkeyalias')
  const tokens = tokensOf({ hostName, port, user, name: destination.name, hostKeyAlias })
  const path = (value: string): string => expand(value, tokens)
  const files = (key: OptionRow[0]): string[] => (set(key)?.split(' ') ?? []).filter((file) => file !== 'none').map(path)
  return {
    hostName,
    port,
    user,
    identityFiles: [
      ...new Set(
        all('identityfile')
          .filter((file) => file !== 'none')
          .map(path),
      ),
    ],
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentSocket(all('identityagent')[0], path),
    jumps: destination.jumps ?? set('proxyjump')?.split(',') ?? [],
    proxyCommand: destination.jumps === undefined ? proxy(set('proxycommand'), tokens) : undefined,
    userKnownHosts: files('userknownhostsfile').map(atHome),
    globalKnownHosts: files('globalknownhostsfile'),
    hostKeyAlias,
    hashKnownHosts: one('hashknownhosts') === 'yes',
    strict: strictness(one('stricthostkeychecking')),
  }
}

/** How kraft takes a value of StrictHostKeyChecking: whatever asks for less than a question counts as `weaker`. */
export function strictness(value = 'ask'): SshOptions['strict'] {
  if (value === 'true' || value === 'yes') return 'yes'
  return value === 'ask' ? 'ask' : 'weaker'
}

function tokensOf(to: Pick<SshOptions, 'hostName' | 'port' | 'user' | 'hostKeyAlias'> & { readonly name: string }): Tokens {
  const here = hostname()
  return {
    '%': '%',
    d: homedir(),
    h: to.hostName,
    i: String(me().uid),
    k: to.hostKeyAlias ?? to.name,
    L: here.split('.')[0] ?? here,
    l: here,
    n: to.name,
    p: String(to.port),
    r: to.user,
    u: me().username,
  }
}

// OpenSSH takes the home from the password file, kraft from the environment as everything else of kraft does.
function atHome(file: string): string {
  const home = join(me().homedir, '.ssh/')
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
