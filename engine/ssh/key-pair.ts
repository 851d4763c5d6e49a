import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** A key pair in OpenSSH's formats: one line for authorized_keys or known_hosts, and a private file's text. */
export interface KeyPair {
  readonly publicKey: string
  readonly privateKey: string
}

/**
 * Makes an ed25519 key pair, for a node's sshd or for a login. It is written by hand because ssh2's generator makes about one
 * in 150 that OpenSSH cannot read (it drops leading zero bytes). Node.js encodes the key while it makes it: to export one that was just made
 * stands still for ever where memory is tidied up meanwhile (Node.js 20 waits for a lock of its own).
 *
 * @example generateHostKey('kraft me').publicKey // ssh-ed25519 AAAA… kraft me
 */
export function generateHostKey(comment = 'kraft'): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  })
  // Both end with the 32 bytes of the number itself (RFC 8410).
  const [open, seed] = [publicKey.subarray(-32), privateKey.subarray(-32)]
  const blob = Buffer.concat([string('ssh-ed25519'), string(open)])
  const check = randomBytes(4)
  const secret = Buffer.concat([check, check, blob, string(Buffer.concat([seed, open])), string(comment)])
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1))
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    Buffer.from([0, 0, 0, 1]),
    string(blob),
    string(Buffer.concat([secret, padding])),
  ])
  const rows = file.toString('base64').match(/.{1,70}/g) ?? []
  return {
    publicKey: `ssh-ed25519 ${blob.toString('base64')} ${comment}`,
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...rows, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
  }
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
