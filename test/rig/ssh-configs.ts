import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'

/** One configuration of OpenSSH, and a host to ask it for. */
export interface SshConfig {
  readonly file: string
  readonly host: string
}

/** Whole numbers below `limit`, the same ones for the same seed. */
export function numbers(seed: number): (limit: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (limit) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/**
 * Writes a configuration that is made by chance of everything that decides on the options which kraft reads; `heads` begin its
 * blocks.
 */
export async function writeConfig(folder: string, seed: number, heads = someHeads): Promise<SshConfig> {
  const below = numbers(seed)
  const pick = <T>(choices: readonly T[]): T => {
    const choice = choices[below(choices.length)]
    if (choice === undefined) throw new RangeError('There is nothing to choose from')
    return choice
  }
  const some = (lines: () => string, most = 4): string[] => Array.from({ length: 1 + below(most) }, lines)
  const option = (): string => pick(options)(pick)
  const home = join(folder, String(seed))
  for (const name of ['conf.d', 'deep']) await mkdir(join(home, name), { recursive: true })
  for (const name of ['10-a.conf', '20-b.conf', 'other.txt'])
    await writeFile(join(home, 'conf.d', name), `${[...some(option), pick(heads), ...some(option)].join('\n')}\n`)
  await writeFile(join(home, 'deep', 'last.conf'), `${[pick(heads), ...some(option)].join('\n')}\n`)
  await writeFile(
    join(home, 'conf.d', '30-c.conf'),
    `${[...some(option, 2), `INCLUDE=${home}/deep/l?st.*`, option()].join('\n')}\n`,
  )
  const include = (): string => pick([`Include ${home}/conf.d/*.conf`, `Include ${home}/conf.d/1*.conf ${home}/absent`])
  const block = (): string[] => [pick(heads), ...some(() => `  ${below(6) === 0 ? include() : option()}`)]
  const lines = [...(below(2) === 0 ? some(option, 2) : []), ...(below(3) === 0 ? [include()] : [])]
  for (let blocks = 1 + below(5); blocks > 0; blocks--) lines.push(...block())
  if (heads.includes('Match all') && below(2) === 0) lines.push('Match final all', ...some(() => `  ${option()}`, 2))
  await writeFile(join(home, 'config'), `${lines.join('\n')}\n`)
  return { file: join(home, 'config'), host: pick(['web1', 'web2.example.com', 'db', '10.0.0.7', 'me@web1', 'WEB1', 'fe80::1']) }
}

type Pick = <T>(choices: readonly T[]) => T

/** Blocks for all hosts. */
export const headsForAll: readonly string[] = ['Host *', 'host *', 'HOST=*', '  Host  *  ', '# Host web1']

const someHeads: readonly string[] = [
  'Host *',
  'Host web?',
  'Host web1 db',
  'Host *.example.com !web2.example.com',
  'Host !web1 *',
  'Host = "web1"',
  'Match all',
  'Match host web*,!web2*',
  'Match originalhost web1',
  'Match user web',
  'Match user me,root host *',
  'Match localuser nobody',
  'Match !localuser nobody',
  'Match exec "true"',
  'Match exec "test %h = web1 -a %n = web1"',
  'Match exec "false"',
  'Match host 10.* exec "test %p = 22"',
  'Match exec "test %h = %n -o %d = %%"',
  'Match exec="test %r = web -a %u != nobody"',
  'Match final host *.internal',
  'MATCH Final OriginalHost web1',
  'Match canonical host web1',
  'Match originalhost !web1,*',
  'Match user !web,*',
  `Match localuser ${userInfo().username} host w*`,
  'hOST WEB1',
  'Host="db" "web?"',
  'Match canonical all',
  '# Host web1',
]

const options: readonly ((pick: Pick) => string)[] = [
  (pick) => `HostName ${pick(['10.0.0.9', '%h.internal', 'web.internal', '%%h'])}`,
  (pick) => `User ${pick(['web', 'me', '"deploy"'])}`,
  (pick) => `Port ${pick(['22', '2222', '"2022"'])}`,
  (pick) => `port=${pick(['22', '2222'])}`,
  (pick) => `IdentityFile ${pick(['~/.ssh/one', '~/.ssh/%r@%h', '%d/.ssh/%n-%p', '/etc/keys/%u/%k', '"~/my keys/a"', 'none'])}`,
  (pick) => `IDENTITYFILE${pick([' ', '=', ' = ', '\t'])}~/.ssh/${pick(['upper', '%%h', '%l-%u'])}`,
  (pick) => pick(['IgnoreUnknown Future*,UseKeychain', 'iGnOrEuNkNoWn=*']),
  (pick) => `IdentitiesOnly ${pick(['yes', 'no'])}`,
  (pick) => `IdentityAgent ${pick(['none', 'SSH_AUTH_SOCK', '~/agent', '$OTHER_AGENT', '/run/agents/%r'])}`,
  (pick) => `ProxyJump ${pick(['none', 'first', 'me@first:2222,second', 'ssh://me@first:22', 'first,[fe80::2]:2022'])}`,
  (pick) => `ProxyCommand ${pick(['none', 'false %h %p %r %n', 'false "%h" 50%% $HOME', 'false'])}`,
  (pick) => `StrictHostKeyChecking ${pick(['yes', 'no', 'ask', 'off', 'accept-new'])}`,
  (pick) => `UserKnownHostsFile ${pick(['none', '~/.ssh/known', '~/a ~/b', '/etc/%h/known /etc/two'])}`,
  (pick) => `GlobalKnownHostsFile ${pick(['none', '/etc/ssh/one /etc/ssh/two', '/dev/null'])}`,
  (pick) => `HostKeyAlias ${pick(['first', 'web-alias', 'none'])}`,
  (pick) => `HashKnownHosts ${pick(['yes', 'no'])}`,
  (pick) => `ControlPath ${pick(['~/.ssh/%C', 'none'])}`,
  (pick) => `ControlMaster ${pick(['auto', 'no'])}`,
  (pick) => pick(['ServerAliveInterval 3', 'Compression yes', 'ConnectTimeout 7', 'SendEnv LANG', 'LogLevel QUIET']),
  (pick) => pick(['UseKeychain yes', 'FutureOption a b c', 'AddKeysToAgent yes']),
  (pick) => pick(['', '  # a remark', '\t']),
]
