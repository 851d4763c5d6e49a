import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Pack } from 'tar-stream'
import { KraftError } from '../engine/errors/failure.js'
import { largestManifest, type Manifest, narrow, noBundle, readManifest } from './manifest.js'

/** The last member: the SHA-256 of the first, as sha256sum writes it. */
export const seal = 'manifest.sha256'

/** Bytes that are read at once: each piece costs the same, however large it is. */
export const largePiece = 1024 ** 2

/** A bundle that is proven while it passes. */
export interface Passing {
  /** The bundle once more, or what of it is wanted, made anew of what was proven; it fails where that ends. */
  readonly stream: Readable
  /** What it says of itself, as soon as that is here. */
  readonly manifest: Promise<Manifest>
  /** When all of it has passed and was right. */
  readonly proven: Promise<Manifest>
}

/**
 * Reads all of a bundle, checks every member against the manifest, and returns the manifest. Memory stays flat.
 *
 * @throws KraftError `setting` where it is no bundle, is damaged or cut off, or comes from a newer kraft.
 * @example const { members } = await proveBundle('before.bundle')
 */
export async function proveBundle(file: string): Promise<Manifest> {
  const { stream, proven } = await passBundle(createReadStream(file, { highWaterMark: largePiece }), file)
  await pipeline(stream, nowhere()).catch(() => undefined)
  return proven
}

/**
 * Proves a bundle that can be read only once: nothing of it comes out that its manifest did not announce, with that name and that size,
 * and its end fails unless all of it was right. `name` is for messages. Where only some services are wanted, what others have is proven
 * and not handed on.
 *
 * @example const { stream, proven } = await passBundle(process.stdin, 'what was piped in')
 */
export async function passBundle(source: Readable, name: string, only: readonly string[] = []): Promise<Passing> {
  // It may fail while the library loads, as a file does that is not there.
  source.on('error', () => undefined)
  const { extract, pack } = await import('tar-stream')
  const archive = extract()
  const out = pack()
  let tell: (manifest: Manifest) => void = () => undefined
  const manifest = new Promise<Manifest>((resolve) => {
    tell = resolve
  })
  source.on('error', (error) => archive.destroy(error))
  if (source.errored !== null) archive.destroy(source.errored)
  else source.pipe(archive)
  const proven = prove(archive, name, { out, only, tell }).then(
    (all) => {
      out.finalize()
      return all
    },
    (error: unknown) => {
      const failure = explain(name, error)
      source.destroy()
      out.destroy(failure)
      throw failure
    },
  )
  // Whoever only takes the stream hears of it there.
  out.on('error', () => undefined)
  const announced = Promise.race([manifest, proven])
  for (const each of [proven, announced]) each.catch(() => undefined)
  return { stream: Readable.from(whole(out as Bytes, proven), { objectMode: false }), manifest: announced, proven }
}

// Whatever ends it early is told as what was wrong with the bundle, if anything was.
async function* whole(out: Bytes, proven: Promise<unknown>): AsyncGenerator<Buffer> {
  try {
    yield* out
  } catch (error) {
    await proven
    throw error
  }
  await proven
}

type Archive = ReturnType<typeof import('tar-stream').extract>
type Bytes = AsyncIterable<Buffer>

interface Handing {
  readonly out: Pack
  readonly only: readonly string[]
  readonly tell: (manifest: Manifest) => void
}

async function prove(archive: Archive, name: string, { out, only, tell }: Handing): Promise<Manifest> {
  let manifest: Manifest | undefined
  let sealed = ''
  let isSealed = false
  const found = new Set<string>()
  for await (const entry of archive) {
    const { name: file, type, size = 0 } = entry.header
    const bytes = entry as Bytes
    if (manifest === undefined && file !== 'manifest.json') throw noBundle(name, 'it does not begin with a manifest')
    if (type !== 'file') throw noBundle(name, `${file} in it is no file but a ${type}`)
    if (manifest === undefined) {
      const json = await small(bytes, size, largestManifest, () => noBundle(name, 'its manifest is too large'))
      manifest = await readManifest(name, json.toString())
      sealed = sha256(json)
      await add(out, file, json)
      tell(manifest)
      continue
    }
    if (isSealed) throw noBundle(name, `${file} in it comes behind its end`)
    if (found.has(file)) throw noBundle(name, `${file} is in it twice`)
    if (file === seal) {
      const said = await small(bytes, size, 1024, () => noBundle(name, `its ${seal} is too large`))
      if (said.toString() !== `${sealed}  manifest.json\n`) throw noBundle(name, 'its manifest is damaged')
      await add(out, file, said)
      isSealed = true
      continue
    }
    const member = manifest.members.find((each) => each.file === file)
    if (member === undefined) throw noBundle(name, `it holds ${file}, which the manifest does not name`)
    if (member.size !== size) throw noBundle(name, `${file} has ${size} bytes, and the manifest says ${member.size}`)
    found.add(file)
    const isWanted = narrow(manifest, only).members.includes(member)
    const is = await copied(bytes, isWanted ? out.entry({ name: file, size, mode: 0o600 }) : nowhere())
    if (is !== member.sha256)
      throw noBundle(name, `${file} is damaged: its SHA-256 is ${is}, and the manifest says ${member.sha256}`)
  }
  if (manifest === undefined) throw noBundle(name, 'it is empty')
  const missing = manifest.members.find(({ file }) => !found.has(file))
  if (missing !== undefined) throw noBundle(name, `${missing.file} is missing in it`)
  if (!isSealed) throw noBundle(name, `${seal} is missing in it`)
  return manifest
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })

/** Hands a member on as it is read, and returns its SHA-256. */
async function copied(entry: Bytes, sink: Writable | ReturnType<Pack['entry']>): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(
    entry,
    async function* (chunks: Bytes) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        yield chunk
      }
    },
    sink,
  )
  return hash.digest('hex')
}

function add(out: Pack, name: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    out.entry({ name, mode: 0o600 }, content, (error) => (error ? reject(error) : resolve()))
  })
}

async function small(entry: Bytes, size: number, most: number, tooLarge: () => KraftError): Promise<Buffer> {
  if (size > most) throw tooLarge()
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function explain(name: string, error: unknown): KraftError {
  if (error instanceof KraftError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const another = 'Nothing was changed. Name one that dump wrote, or make one: kraft dump:TARGET FILE'
  if (code === 'ENOENT')
    return new KraftError({ kind: 'setting', place: { file: name }, message: 'There is no such file', next: another }, error)
  return noBundle(name, code === 'EISDIR' ? 'it is a folder' : 'it is cut off or damaged', error)
}
