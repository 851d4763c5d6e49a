import { createHash, randomBytes } from 'node:crypto'
import { generateHostKey, type KeyPair } from '../../../engine/ssh/key-pair.js'
import { ownerOf } from './owner.js'

/**
 * What stands on everything that is made for a node, so that it is found again by any run: a killed one, a repeated one, and the
 * one that removes it. All of it are letters, digits, - and _, and short, because some clouds take nothing else.
 */
export interface Marks {
  /** Whose node of which name: the same for the same person's next run. */
  readonly for: string
  /** Of this one node alone. */
  readonly id: string
  /** The public host key that the machine was given. */
  readonly key: string
  /** The public host key that it made itself, once kraft knows that. */
  readonly own?: string | undefined
  /** Set at last: what lacks it comes from a run that was interrupted. */
  readonly ready?: boolean
}

/** A mark of a person's node, by name: teammates share an account, and the same name from another key is another node. */
export function markFor(node: string, publicKey: string): string {
  return createHash('sha256')
    .update(`${ownerOf(publicKey)} ${node}`)
    .digest('hex')
    .slice(0, 12)
}

/** A mark of one node alone. */
export function newId(): string {
  return randomBytes(6).toString('hex')
}

/** The name of what is made beside the machine: its firewall, its key. */
export function nameOf(marks: Pick<Marks, 'for' | 'id'>): string {
  return `kraft-${marks.for}-${marks.id}`
}

/** The marks in such a name. */
export function marksIn(name: string): Pick<Marks, 'for' | 'id'> | undefined {
  const [, owner, id] = /^kraft-([0-9a-f]{12})-([0-9a-f]{12})$/.exec(name) ?? []
  return owner === undefined || id === undefined ? undefined : { for: owner, id }
}

/** A host key for a new machine, with the mark that names it. Labels begin with a letter or a digit. */
export function newHostKey(): KeyPair & { readonly mark: string } {
  for (;;) {
    const pair = generateHostKey()
    const mark = markOfKey(pair.publicKey)
    if (/^[A-Za-z0-9]/.test(mark)) return { ...pair, mark }
  }
}

const head = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1')

/** The host key that a mark names: `ssh-ed25519 AAAA…`. */
export function hostKeyOf(mark: string): string {
  return `ssh-ed25519 ${Buffer.concat([head, Buffer.from(mark, 'base64url')]).toString('base64')}`
}

/** The mark that names a host key. */
export function markOfKey(line: string): string {
  return Buffer.from(line.split(' ')[1] ?? '', 'base64')
    .subarray(head.length)
    .toString('base64url')
}

/** The marks as labels with values. */
export function asLabels({ for: owner, id, key, own, ready }: Marks): Record<string, string> {
  return {
    'kraftwerk-for': owner,
    'kraftwerk-id': id,
    'kraftwerk-key': key,
    // Values begin with a letter or a digit, and a node makes whatever key it makes.
    ...(own === undefined ? {} : { 'kraftwerk-own': `k${own}` }),
    ...(ready === true ? { 'kraftwerk-ready': 'yes' } : {}),
  }
}

/** The marks among the labels of a machine; undefined where it is none of kraft's. */
export function fromLabels(labels: Readonly<Record<string, string>>): Marks | undefined {
  const {
    'kraftwerk-for': owner,
    'kraftwerk-id': id,
    'kraftwerk-key': key,
    'kraftwerk-own': own,
    'kraftwerk-ready': ready,
  } = labels
  if (owner === undefined || id === undefined || key === undefined) return undefined
  return { for: owner, id, key, own: own?.slice(1), ready: ready !== undefined }
}

/** The marks as tags, which are words; none is longer than the 50 letters that Linode takes. */
export function asTags({ for: owner, id, key, own, ready }: Marks): string[] {
  const later = [...(own === undefined ? [] : [`kw-own:${own}`]), ...(ready === true ? ['kw-ready'] : [])]
  return ['kraftwerk', `kw-for:${owner}`, `kw-id:${id}`, `kw-key:${key}`, ...later]
}

/** The marks among the tags of a machine; undefined where it is none of kraft's. */
export function fromTags(tags: readonly string[]): Marks | undefined {
  const after = (prefix: string) => tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length)
  const [owner, id, key] = [after('kw-for:'), after('kw-id:'), after('kw-key:')]
  if (owner === undefined || id === undefined || key === undefined) return undefined
  return { for: owner, id, key, own: after('kw-own:'), ready: tags.includes('kw-ready') }
}
