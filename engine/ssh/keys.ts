import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { readIfThere } from '../files/read-if-there.js'
import { expand } from './config.js'
import { ownKeyFile } from './identities.js'
import { generateHostKey } from './key-pair.js'
import { readIdentity } from './private-key.js'
import { fromLine } from './public-key.js'

/**
 * The public key that lets you in on new nodes, and the file that holds it: the `pubkey` setting's, else the first of
 * ~/.ssh/id_ed25519.pub, id_ecdsa.pub and id_rsa.pub, else ~/.kraftwerk/id_ed25519.pub, made where it is missing.
 *
 * @example const { publicKey } = await loginKey({ pubkey: '~/.ssh/work.pub' })
 */
export async function loginKey(chosen: ChosenKey = {}): Promise<LoginKey> {
  return (await yourKey(chosen)) ?? ownKey()
}

/** What the settings say of it. */
export interface ChosenKey {
  readonly pubkey?: string | undefined
}

/** A public key in OpenSSH's one-line form, and the file that holds it. */
export interface LoginKey {
  readonly publicKey: string
  readonly file: string
}

/** The same where one is there; undefined where {@link loginKey} would make one. */
export async function foundLoginKey(chosen: ChosenKey = {}): Promise<LoginKey | undefined> {
  const yours = await yourKey(chosen)
  if (yours !== undefined) return yours
  const file = ownKeyFile()
  const key = (await readIdentity(file))?.publicKey
  return key === undefined ? undefined : { publicKey: `${key.type} ${key.blob.toString('base64')}`, file: `${file}.pub` }
}

async function yourKey({ pubkey }: ChosenKey): Promise<LoginKey | undefined> {
  if (pubkey !== undefined) return chosenKey(expand(pubkey))
  for (const name of ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub']) {
    const file = join(homedir(), '.ssh', name)
    const text = (await readIfThere(file)) ?? ''
    if (fromLine(text) !== undefined) return { publicKey: text.trim(), file }
  }
  return undefined
}

async function chosenKey(file: string): Promise<LoginKey> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrongKey(file, 'The file that the pubkey setting names cannot be read.', error)
  })
  if (text.includes('PRIVATE KEY'))
    throw wrongKey(file, `The pubkey setting names a private key. Name its public half: ${file}.pub`)
  const key = fromLine(text)
  if (key === undefined) throw wrongKey(file, 'The file that the pubkey setting names holds no public key in OpenSSH format.')
  if (key.type.startsWith('sk-')) throw wrongKey(file, `kraft cannot log in with a security key (${key.type}). Name another key.`)
  return { publicKey: text.trim(), file }
}

function wrongKey(file: string, message: string, cause?: unknown): KraftError {
  const next =
    'The public half of a key that you have is right; without pubkey in ~/.kraftwerk.yaml kraft finds one, or makes it.'
  return new KraftError({ kind: 'setting', place: { file }, message, next }, cause)
}

async function ownKey(): Promise<LoginKey> {
  const privateFile = ownKeyFile()
  const file = `${privateFile}.pub`
  const before = await readIdentity(privateFile)
  if (before === undefined) {
    await mkdir(dirname(privateFile), { recursive: true, mode: 0o700 })
    // Two runs at once: whoever places it first has made the key, and the other uses it.
    await place(privateFile, generateHostKey(`kraft ${userInfo().username}`).privateKey, 0o600)
  }
  const key = (await readIdentity(privateFile))?.publicKey
  if (key === undefined) throw wrongKey(privateFile, "kraft's own key cannot be read. Remove it, and kraft makes a new one.")
  const publicKey = `${key.type} ${key.blob.toString('base64')} kraft ${userInfo().username}`
  await place(file, `${publicKey}\n`, 0o644)
  return { publicKey, file }
}

// Never replaces a file that is there, and never shows a half written one.
async function place(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { mode, flag: 'wx' })
  try {
    await link(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
}
