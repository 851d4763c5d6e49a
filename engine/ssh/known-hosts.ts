import { createHmac, randomBytes } from 'node:crypto'
import { chmod, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fitsWildcard } from '../config/wildcard.js'
import { readIfThere } from '../files/read-if-there.js'
import { fromLine, type PublicKey, same } from './public-key.js'

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly marker?: 'cert-authority' | 'revoked'
  /** The first field: names and patterns, or a hash. */
  readonly hosts: string
  readonly key: PublicKey
}

/** What known_hosts says of a key that a host showed. */
export type Verdict =
  | { readonly kind: 'known' | 'revoked' | 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'new'; readonly otherTypes: readonly KnownHost[]; readonly authorities: readonly KnownHost[] }

/** Reads the lines of known_hosts; comments and lines that are damaged are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((row, index) => {
    const words = row.trim().split(/\s+/)
    const marker = markers.get(words[0] ?? '')
    if (marker === undefined && (words[0] ?? '').startsWith('@')) return []
    if (marker !== undefined) words.shift()
    const [hosts, ...rest] = words
    if (hosts === undefined || hosts === '' || hosts.startsWith('#')) return []
    const key = fromLine(rest.slice(0, 2).join(' '))
    return key === undefined ? [] : [{ file, line: index + 1, ...(marker && { marker }), hosts, key }]
  })
}

const markers = new Map([
  ['@cert-authority', 'cert-authority' as const],
  ['@revoked', 'revoked' as const],
])

/** Reads several files; those that don't exist count as empty. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHost[]> {
  const texts = await Promise.all(files.map(readIfThere))
  return files.flatMap((file, index) => understood(texts[index] ?? '', file))
}

const last = new Map<string, { readonly text: string; readonly entries: readonly KnownHost[] }>()

// A file of a thousand lines is the same for each node of a fleet, and taking it apart takes longer than reading it.
function understood(text: string, file: string): readonly KnownHost[] {
  const before = last.get(file)
  if (before?.text === text) return before.entries
  const entries = parseKnownHosts(text, file)
  last.set(file, { text, entries })
  return entries
}

/** The name under which known_hosts keeps a host: `name`, or `[name]:port` where the port is not 22. */
export function hostName(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** Whether a line speaks of a host, by name, pattern (`*`, `?`, `!` excludes) or hash. */
export function speaksOf(entry: KnownHost, host: string): boolean {
  if (entry.hosts.startsWith('|')) return entry.hosts === hashed(host, entry.hosts.split('|')[2] ?? '')
  const patterns = entry.hosts.toLowerCase().split(',')
  if (patterns.some((pattern) => pattern.startsWith('!') && fitsWildcard(pattern.slice(1), host))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && fitsWildcard(pattern, host))
}

function hashed(host: string, salt: string): string {
  return `|1|${salt}|${createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64')}`
}

/**
 * Judges the key that a host showed. `host` is what {@link hostName} gives; where that has a port, a line for the plain name
 * vouches for the key as well, as it does for OpenSSH.
 */
export function judge(entries: readonly KnownHost[], host: string, key: PublicKey): Verdict {
  const plain = /^\[(.*)\]:\d+$/.exec(host)?.[1]
  const own = entries.filter((entry) => speaksOf(entry, host))
  const near = plain === undefined ? [] : entries.filter((entry) => speaksOf(entry, plain))
  const revoked = [...own, ...near].find((entry) => entry.marker === 'revoked' && same(entry.key, key))
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked }
  const known = own.filter((entry) => entry.marker === undefined)
  const entry = known.find((each) => same(each.key, key))
  if (entry !== undefined) return { kind: 'known', entry }
  const changed = known.find((each) => each.key.type === key.type)
  if (changed !== undefined) return { kind: 'changed', entry: changed }
  const vouched = near.find((each) => each.marker === undefined && same(each.key, key))
  if (vouched !== undefined) return { kind: 'known', entry: vouched }
  return { kind: 'new', otherTypes: known, authorities: own.filter((each) => each.marker === 'cert-authority') }
}

/** Adds a line to a known_hosts file, which is made (0600) where it is missing; `hash` hides the host's name. */
export async function addKnownHost(file: string, host: string, key: PublicKey, hash: boolean): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const before = (await readIfThere(file)) ?? ''
  const name = hash ? hashed(host, randomBytes(20).toString('base64')) : host
  const handle = await open(file, 'a', 0o600)
  try {
    const gap = before === '' || before.endsWith('\n') ? '' : '\n'
    await handle.appendFile(`${gap}${name} ${key.type} ${key.blob.toString('base64')}\n`)
  } finally {
    await handle.close()
  }
  await chmod(file, 0o600)
}
