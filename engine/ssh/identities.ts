import { homedir } from 'node:os'
import { join } from 'node:path'
import type { BaseAgent, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2'
import { readIfThere } from '../files/read-if-there.js'
import { heldKeys } from './agent.js'
import { expand, type SshOptions, standardIdentities } from './config.js'
import { ssh2 } from './library.js'
import { type IdentityFile, openIdentity, readIdentity } from './private-key.js'
import { fromBlob, type PublicKey, same } from './public-key.js'
import type { Ask } from './question.js'

/** A key to try, and where it comes from. */
export interface Identity {
  /** For messages: `agent: me@laptop`, or a file. */
  readonly label: string
  readonly publicKey: PublicKey
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>
}

/** The keys to try, in OpenSSH's order, and those that can't be tried, with the reason. */
export interface Identities {
  readonly usable: readonly Identity[]
  readonly skipped: readonly string[]
}

/** The key pair that kraft makes for itself where you have none. */
export function ownKeyFile(): string {
  return join(homedir(), '.kraftwerk', 'id_ed25519')
}

/**
 * Collects the keys to try: those of the agent that are also configured, the agent's others (unless IdentitiesOnly), the
 * files, and kraft's own as the last. A passphrase is asked for only once a server accepts the key.
 */
export async function collectIdentities(options: SshOptions, ask: Ask | undefined): Promise<Identities> {
  const skipped: string[] = []
  const files = await readFiles([...options.identityFiles, ownKeyFile()], skipped)
  const agent = await agentIdentities(options.agent, skipped)
  const configured = (key: PublicKey): boolean => files.some((file) => file.publicKey !== undefined && same(file.publicKey, key))
  const first = agent.filter((each) => configured(each.publicKey))
  const others = options.identitiesOnly ? [] : agent.filter((each) => !configured(each.publicKey))
  for (const { file } of files) {
    if ((await readIfThere(`${file}-cert.pub`).catch(() => undefined)) !== undefined)
      skipped.push(`${file}-cert.pub: certificates are not supported; its plain key must be in authorized_keys there`)
  }
  const held = (key: PublicKey): boolean => agent.some((each) => same(each.publicKey, key))
  const fromFiles: Identity[] = []
  for (const file of files) {
    if (file.publicKey !== undefined && held(file.publicKey)) continue
    const identity = await fileIdentity(file, ask, skipped)
    // Old encrypted formats tell their key only now.
    if (identity !== undefined && !held(identity.publicKey)) fromFiles.push(identity)
  }
  return { usable: [...first, ...others, ...fromFiles], skipped }
}

async function readFiles(files: readonly string[], skipped: string[]): Promise<IdentityFile[]> {
  const quiet = new Set([...standardIdentities.map((file) => expand(file)), ownKeyFile()])
  const found: IdentityFile[] = []
  for (const file of new Set(files)) {
    const identity = await readIdentity(file).catch((error: unknown) => {
      skipped.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    })
    if (identity !== undefined) found.push(identity)
    else if (!quiet.has(file) && !skipped.some((line) => line.startsWith(`${file}: `)))
      skipped.push(`${file}: there is no such file`)
  }
  return found
}

async function fileIdentity(identity: IdentityFile, ask: Ask | undefined, skipped: string[]): Promise<Identity | undefined> {
  const { file } = identity
  const why = unsupported(identity.publicKey?.type ?? '')
  if (why !== undefined || identity.isPublic) {
    skipped.push(`${file}: ${why ?? 'only its public half is here, and no agent holds the private one'}`)
    return undefined
  }
  // Old formats hide the public key in the encrypted part, so that these are opened before they are offered.
  const publicKey =
    identity.publicKey ??
    (await openIdentity(identity, ask).then(
      (key) => key.publicKey,
      (error: unknown) => {
        skipped.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
        return undefined
      },
    ))
  if (publicKey === undefined) return undefined
  const sign = async (data: Buffer, hash: string | undefined): Promise<Buffer> =>
    (await openIdentity(identity, ask)).sign(data, hash)
  if (identity.encrypted && ask === undefined) {
    skipped.push(`${file}: is encrypted, and there is no terminal to ask for its passphrase`)
    return undefined
  }
  return { label: file, publicKey, sign }
}

async function agentIdentities(socket: string | undefined, skipped: string[]): Promise<Identity[]> {
  if (socket === undefined) return []
  const held = await heldKeys(socket).catch((error: unknown) => {
    skipped.push(`the agent at ${socket}: ${error instanceof Error ? error.message : String(error)}`)
    return []
  })
  const { OpenSSHAgent, utils } = await ssh2()
  const agent = new OpenSSHAgent(socket)
  return held.flatMap(({ type, blob, comment }) => {
    const label = `agent: ${comment || type}`
    const publicKey = fromBlob(blob)
    const parsed = utils.parseKey(blob)
    const key = Array.isArray(parsed) ? parsed[0] : parsed
    const why = unsupported(type)
    if (why === undefined && publicKey !== undefined && key !== undefined && !(key instanceof Error))
      return [{ label, publicKey, sign: signer(agent, key) }]
    skipped.push(`${label}: ${why ?? `keys of type ${type} are not supported`}`)
    return []
  })
}

/** What there is to know of a type of keys that ssh2 can't log in with. */
function unsupported(type: string): string | undefined {
  if (type.includes('-cert-')) return `certificates (${type}) are not supported; its plain key must be in authorized_keys there`
  if (!type.startsWith('sk-')) return undefined
  return `security keys (${type}) are not supported; put a plain key there (ssh-copy-id -i FILE) and name it with IdentityFile`
}

function signer(agent: BaseAgent<ParsedKey>, key: ParsedKey): Identity['sign'] {
  return (data, hash) =>
    new Promise((resolve, reject) => {
      const options: SigningRequestOptions = hash === 'sha256' || hash === 'sha512' ? { hash } : {}
      const done: SignCallback = (error, signature) =>
        signature === undefined ? reject(error ?? new Error('the agent did not sign')) : resolve(signature)
      agent.sign(key, data, options, done)
    })
}
