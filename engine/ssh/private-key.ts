import { createPrivateKey, sign } from 'node:crypto'
import { readIfThere } from '../files/read-if-there.js'
import { ssh2 } from './library.js'
import { fromBlob, fromLine, type PublicKey } from './public-key.js'
import { type Ask, alone } from './question.js'

/** An identity file as far as it can be read without its passphrase. */
export interface IdentityFile {
  readonly file: string
  readonly text: string
  /** From the file itself, or from FILE.pub beside it. */
  readonly publicKey: PublicKey | undefined
  readonly encrypted: boolean
  /** Only the public half is here: it says which key of the agent is meant. */
  readonly isPublic: boolean
}

/** Reads an identity file, or the public half that is in its place; undefined where there is neither. Throws where it can't be read. */
export async function readIdentity(file: string): Promise<IdentityFile | undefined> {
  const text = await readIfThere(file)
  const inside = openSshHeader(text ?? '')
  const open = fromLine(text ?? '')
  const publicKey = inside?.publicKey ?? open ?? fromLine((await readIfThere(`${file}.pub`)) ?? '')
  if (text === undefined && publicKey === undefined) return undefined
  return {
    file,
    text: text ?? '',
    publicKey,
    encrypted: inside?.encrypted ?? /ENCRYPTED/.test(text ?? ''),
    isPublic: text === undefined || open !== undefined,
  }
}

/** OpenSSH's own format tells the cipher and the public key in the clear: magic, cipher, kdf, its options, count, key. */
function openSshHeader(text: string): { publicKey: PublicKey | undefined; encrypted: boolean } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1]
  if (body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64')
  const magic = 'openssh-key-v1\0'
  if (bytes.toString('latin1', 0, magic.length) !== magic) return undefined
  let at = magic.length
  const next = (): Buffer => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0
    const part = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return part
  }
  const cipher = next().toString('latin1')
  next()
  next()
  at += 4
  return { publicKey: fromBlob(next()), encrypted: cipher !== 'none' }
}

/** A private key that was opened. */
export interface PrivateKey {
  readonly publicKey: PublicKey | undefined
  /** Signs, with this hash where the type of the key leaves a choice. */
  sign(data: Buffer, hash: string | undefined): Buffer
}

const opened = new Map<string, Promise<PrivateKey>>()

/**
 * The private key of an identity file. An encrypted one is asked for once per file and process, with three attempts; throws
 * with the reason where it stays closed.
 */
export function openIdentity(identity: IdentityFile, ask: Ask | undefined): Promise<PrivateKey> {
  const before = opened.get(identity.file)
  if (before !== undefined) return before
  const opening = identity.encrypted ? alone(() => decrypt(identity, ask)) : parse(identity.text)
  // Without a terminal nothing was asked, so a later connection that has one may still ask.
  if (!identity.encrypted || ask !== undefined) opened.set(identity.file, opening)
  return opening
}

async function decrypt({ file, text }: IdentityFile, ask: Ask | undefined): Promise<PrivateKey> {
  if (ask === undefined) throw new Error('is encrypted, and there is no terminal to ask for its passphrase')
  for (let attempt = 1; attempt <= 3; attempt++) {
    const again = attempt === 1 ? '' : 'That was not it. '
    const passphrase = await ask({ kind: 'secret', message: `${again}Passphrase for ${file}` })
    if (typeof passphrase !== 'string' || passphrase === '') break
    const key = await parse(text, passphrase).catch(() => undefined)
    if (key !== undefined) return key
  }
  throw new Error('is encrypted, and its passphrase was not given')
}

async function parse(text: string, passphrase?: string): Promise<PrivateKey> {
  const { utils } = await ssh2()
  const parsed = utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error) throw new Error(`cannot be read: ${key.message}`)
  const { type } = key
  const pem = key.getPrivatePEM()
  if (!key.isPrivateKey() || pem === null) throw new Error('holds no private key')
  // ssh2 signs with the key as text, which OpenSSL takes apart anew each time: ten times the work of an ed25519 signature.
  const made = createPrivateKey(pem)
  return {
    publicKey: fromBlob(key.getPublicSSH()),
    sign: (data, hash) => sign(hash ?? hashes.get(type), data, made),
  }
}

/** The hash of a signature where the server leaves none to choose; ed25519 brings its own. */
const hashes = new Map([
  ['ssh-rsa', 'sha1'],
  ['ecdsa-sha2-nistp256', 'sha256'],
  ['ecdsa-sha2-nistp384', 'sha384'],
  ['ecdsa-sha2-nistp521', 'sha512'],
])
