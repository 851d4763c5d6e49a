import { createHash } from 'node:crypto'

/** A public key as it travels: its type (`ssh-ed25519`…) and its bytes. */
export interface PublicKey {
  readonly type: string
  readonly blob: Buffer
}

/** Reads a key from the bytes that a server or an agent sends: words with their lengths, the type first, nothing cut off. */
export function fromBlob(blob: Buffer): PublicKey | undefined {
  const words: Buffer[] = []
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return undefined
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return undefined
    words.push(blob.subarray(at + 4, end))
    at = end
  }
  const [type] = words
  return type === undefined || words.length < 2 ? undefined : { type: type.toString('latin1'), blob }
}

/** Reads a key from OpenSSH's one-line form, `ssh-ed25519 AAAA… comment`. */
export function fromLine(line: string): PublicKey | undefined {
  const [type, encoded] = line.trim().split(/\s+/)
  if (type === undefined || encoded === undefined || !/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined
  const key = fromBlob(Buffer.from(encoded, 'base64'))
  return key?.type === type ? key : undefined
}

/** The fingerprint that ssh-keygen -l shows. */
export function fingerprint(key: PublicKey): string {
  return `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`
}

/** What people call the type of a key. */
export function typeName(type: string): string {
  if (type.startsWith('ecdsa')) return 'ECDSA'
  if (type === 'ssh-rsa') return 'RSA'
  return type === 'ssh-ed25519' ? 'ED25519' : type
}

export function same(one: PublicKey, other: PublicKey): boolean {
  return one.blob.equals(other.blob)
}
