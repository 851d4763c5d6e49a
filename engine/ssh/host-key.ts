import type { ServerHostKeyAlgorithm } from 'ssh2'
import { type Failure, formatPlace } from '../errors/failure.js'
import type { SshOptions } from './config.js'
import type { Destination } from './destination.js'
import { nodesKnownHosts } from './include.js'
import { addKnownHost, hostName, judge, type KnownHost, readKnownHosts, speaksOf, type Verdict } from './known-hosts.js'
import { fingerprint, fromBlob, fromLine, type PublicKey, same, typeName } from './public-key.js'
import { type Ask, alone } from './question.js'

/** What is needed to decide on the key that a host shows. */
export interface HostCheck {
  readonly destination: Destination
  readonly options: SshOptions
  readonly ask?: Ask | undefined
}

/** Decides on the key that a host shows: nothing where it is the right one, else why the connection is refused. */
export async function verifyHostKey(check: HostCheck, blob: Buffer): Promise<Failure | undefined> {
  const shown = fromBlob(blob)
  if (shown === undefined) return refusal(check, 'showed a host key that cannot be read')
  const remembered = rememberedKeys(check.destination)
  const isRemembered = check.destination.hostKeys.length > 0
  if (isRemembered && !remembered.some((key) => same(key, shown))) {
    const before = remembered.length === 0 ? 'nothing that is a host key' : remembered.map(describe).join(', ')
    return refusal(
      check,
      `its host key changed: it shows ${describe(shown)}, nodes.yaml remembers ${before}`,
      `If you rebuilt ${check.destination.name}, correct its host_keys in nodes.yaml; if not, somebody may be listening in.`,
    )
  }
  const verdict = await lookUp(check, shown)
  if (verdict.kind === 'new') return isRemembered ? undefined : newHost(check, shown, verdict)
  if (verdict.kind === 'revoked') {
    return refusal(check, `its host key ${describe(shown)} is revoked by ${place(verdict.entry)}`)
  }
  return verdict.kind === 'changed' ? changed(check, shown, verdict.entry, isRemembered) : undefined
}

/** The keys that nodes.yaml remembers. */
function rememberedKeys({ hostKeys }: Destination): PublicKey[] {
  return hostKeys.map(fromLine).filter((key) => key !== undefined)
}

/** The algorithms to offer: only those of remembered keys, else those of known keys first, as OpenSSH orders them. */
export async function hostKeyAlgorithms(check: HostCheck): Promise<ServerHostKeyAlgorithm[]> {
  const remembered = rememberedKeys(check.destination).map((key) => key.type)
  if (check.destination.hostKeys.length > 0)
    return algorithms.filter(([type]) => remembered.includes(type)).map(([, name]) => name)
  const entries = await readKnownHosts([...check.options.userKnownHosts, ...check.options.globalKnownHosts])
  const host = lookupName(check.options)
  const known = entries.filter((entry) => entry.marker === undefined && speaksOf(entry, host)).map((entry) => entry.key.type)
  const first = algorithms.filter(([type]) => known.includes(type))
  return [...first, ...algorithms.filter((each) => !first.includes(each))].map(([, name]) => name)
}

// ssh-rsa itself (SHA-1) is left out, as in OpenSSH.
const algorithms: readonly (readonly [type: string, name: ServerHostKeyAlgorithm])[] = [
  ['ssh-ed25519', 'ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256'],
  ['ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp384'],
  ['ecdsa-sha2-nistp521', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa', 'rsa-sha2-512'],
  ['ssh-rsa', 'rsa-sha2-256'],
]

async function lookUp({ destination, options }: HostCheck, shown: PublicKey): Promise<Verdict> {
  const files = [...options.userKnownHosts, ...options.globalKnownHosts]
  // What kraft wrote for ssh is of the last provision or adopt; nodes.yaml is what it was taken from.
  const others = destination.hostKeys.length === 0 ? files : files.filter((file) => file !== nodesKnownHosts())
  return judge(await readKnownHosts(others), lookupName(options), shown)
}

function lookupName({ hostKeyAlias, hostName: host, port }: SshOptions): string {
  return hostKeyAlias === undefined ? hostName(host, port) : hostKeyAlias.toLowerCase()
}

function changed(check: HostCheck, shown: PublicKey, known: KnownHost, isRemembered: boolean): Failure {
  const name = lookupName(check.options)
  const forget = `ssh-keygen -R '${name}' -f '${known.file}'`
  return isRemembered
    ? refusal(
        check,
        `nodes.yaml and known_hosts disagree: it shows ${describe(shown)} as nodes.yaml says, ${place(known)} says ${describe(known.key)}`,
        `If that line is of an older machine at this address, remove it: ${forget}`,
      )
    : refusal(
        check,
        `its host key changed: it shows ${describe(shown)}, ${place(known)} says ${describe(known.key)}`,
        `Somebody may be listening in. If you rebuilt the server: ${forget}`,
      )
}

async function newHost(
  check: HostCheck,
  shown: PublicKey,
  verdict: Extract<Verdict, { kind: 'new' }>,
): Promise<Failure | undefined> {
  const { destination, options, ask } = check
  const [file] = options.userKnownHosts
  const authority = verdict.authorities[0]
  const remarks = [
    ...(authority === undefined ? [] : [`${place(authority)} trusts certificates for it, which kraft cannot check`]),
    ...(verdict.otherTypes.length === 0
      ? []
      : [
          `known_hosts has a key of another type for it: ${verdict.otherTypes.map((each) => `${describe(each.key)} at ${place(each)}`).join(', ')}`,
        ]),
  ]
  const what = `its host key is not known: ${[describe(shown), ...remarks].join('; ')}`
  const login = `ssh ${options.port === 22 ? '' : `-p ${options.port} `}${options.user}@${options.hostName}`
  const compare = `Compare the fingerprint with the server's own (ssh-keygen -lf /etc/ssh/ssh_host_${fileName(shown)}_key.pub), then`
  // OpenSSH itself would trust the certificate, so that logging in with it is a safe way to the keys, and asks nothing.
  const next =
    authority !== undefined
      ? `OpenSSH trusts it: put what this prints into host_keys of ${destination.name} in nodes.yaml: ${login} cat '/etc/ssh/ssh_host_*_key.pub'`
      : options.strict === 'yes'
        ? `StrictHostKeyChecking yes forbids to ask. ${compare} add it to ${file ?? 'a file of known hosts'}`
        : `${compare} accept it once in a terminal: ${login}`
  if (ask === undefined || options.strict === 'yes' || file === undefined) return refusal(check, what, next)
  return alone(async () => {
    // Another connection may have asked the same question while this one waited for its turn.
    if ((await lookUp(check, shown)).kind === 'known') return undefined
    const question = `${destination.name} (${options.hostName}) is new. Is its ${typeName(shown.type)} key ${fingerprint(shown)}?`
    const yes = await ask({ kind: 'compare', message: [question, ...remarks, `Yes remembers it in ${file}.`].join('\n') })
    if (yes !== true) return refusal(check, `you did not accept its host key ${describe(shown)}`)
    await addKnownHost(file, lookupName(options), shown, options.hashKnownHosts)
    return undefined
  })
}

function refusal({ destination }: HostCheck, message: string, next?: string): Failure {
  return { kind: 'host-key', node: destination.name, message, ...(next !== undefined && { next }) }
}

function describe(key: PublicKey): string {
  return `${fingerprint(key)} (${typeName(key.type)})`
}

function place({ file, line }: KnownHost): string {
  return formatPlace({ file, line })
}

function fileName(key: PublicKey): string {
  return key.type === 'ssh-rsa' ? 'rsa' : key.type.startsWith('ecdsa') ? 'ecdsa' : 'ed25519'
}
