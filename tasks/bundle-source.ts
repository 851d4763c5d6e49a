import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { KraftError } from '../engine/errors/failure.js'
import type { Session } from '../engine/task/session.js'
import { largePiece, passBundle, proveBundle } from '../project/bundle.js'
import { decrypted, isEncrypted } from '../project/encryption.js'
import { type Manifest, narrow } from '../project/manifest.js'

/** A bundle that is to be loaded. */
export interface BundleSource {
  /** For messages. */
  readonly name: string
  readonly manifest: Manifest
  /** What of it comes out. */
  readonly comes: Manifest
  /** It was read once, and all of it is right. */
  readonly isProven: boolean
  /** Its bytes; once. */
  open(): Readable
  /** Reads what was not read yet, and throws unless all of it is right. */
  prove(): Promise<unknown>
}

/**
 * Proves a bundle: a file at once, and what is piped in (`-`) while it is read, so that nothing wrong ever gets to a node. One that is
 * encrypted is opened here, with the keys of the file `identity`. Where only some services are wanted, no others' data come out.
 */
export async function bundleSource(
  file: string,
  session: Session,
  { identity, only = [] }: { readonly identity?: string | undefined; readonly only?: readonly string[] } = {},
): Promise<BundleSource> {
  const keys = identity === undefined ? undefined : resolve(session.folder, identity)
  if (file !== '-') {
    const path = resolve(session.folder, file)
    if (!(await isEncryptedFile(path))) {
      const manifest = await proveBundle(path)
      const bytes = () => createReadStream(path, { highWaterMark: largePiece })
      const comes = narrow(manifest, only)
      const isWhole = comes.members.length === manifest.members.length
      const part = isWhole ? undefined : (await passBundle(bytes(), file, only)).stream
      return { name: file, manifest, comes, isProven: true, open: () => part ?? bytes(), prove: async () => undefined }
    }
    const pass = async () => passBundle(await decrypted(createReadStream(path), requireKeys(keys, file), file), file, only)
    const { stream, proven } = await pass()
    stream.resume().on('error', () => undefined)
    const manifest = await proven
    const again = await pass()
    return {
      name: file,
      manifest,
      comes: narrow(manifest, only),
      isProven: true,
      open: () => again.stream,
      prove: () => again.proven,
    }
  }
  if (process.stdin.isTTY === true) {
    throw new KraftError({
      kind: 'usage',
      message: 'There is no bundle on stdin, which is a terminal',
      next: 'Pipe one in: kraft dump:live - | kraft load:stage - --yes',
    })
  }
  const name = 'what was piped in'
  const { opened, encryptedHead } = await peek(process.stdin)
  const plain = encryptedHead ? await decrypted(opened, requireKeys(keys, name), name) : opened
  const { stream, manifest: announced, proven } = await passBundle(plain, name, only)
  // Whoever writes there must not wait for a kraft that has no use for it any more.
  session.onEnd(async () => void process.stdin.destroy())
  const manifest = await announced
  return {
    name,
    manifest,
    comes: narrow(manifest, only),
    isProven: false,
    open: () => stream,
    prove: () => {
      stream.resume()
      return proven
    },
  }
}

async function isEncryptedFile(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return false
  try {
    const { buffer } = await file.read(Buffer.alloc(64), 0, 64, 0)
    return isEncrypted(buffer)
  } catch {
    return false
  } finally {
    await file.close()
  }
}

/** A stream whose beginning was looked at. */
async function peek(source: Readable): Promise<{ readonly opened: Readable; readonly encryptedHead: boolean }> {
  const bytes: AsyncIterator<Buffer> = source[Symbol.asyncIterator]()
  const first = await bytes.next()
  const head = first.done === true ? Buffer.alloc(0) : first.value
  async function* whole(): AsyncGenerator<Buffer> {
    yield head
    yield* { [Symbol.asyncIterator]: () => bytes }
  }
  return { opened: Readable.from(whole(), { objectMode: false }), encryptedHead: isEncrypted(head) }
}

function requireKeys(keys: string | undefined, name: string): string {
  if (keys !== undefined) return keys
  throw new KraftError({
    kind: 'usage',
    message: `${name} is encrypted`,
    next: 'Name the file with a key that opens it: --identity key.txt',
  })
}
