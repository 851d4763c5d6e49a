import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { KraftError } from '../engine/errors/failure.js'

/** What a bundle says of itself, in its first member `manifest.json`. A bundle is a tar archive; docs/bundle.md describes it. */
export interface Manifest {
  readonly format: 'kraftwerk bundle'
  readonly version: 1
  readonly kraft: string
  readonly project: string
  readonly environment: string | null
  readonly instance: string
  readonly release: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly members: readonly Member[]
}

/** One service's data in a bundle. */
export interface Member {
  readonly file: string
  readonly service: string
  /** Bytes. */
  readonly size: number
  /** Hex. */
  readonly sha256: string
  /** How much is in it: rows of each table, files. */
  readonly counts: Readonly<Record<string, number>>
}

/**
 * Reads all of a bundle, checks every member against the manifest, and returns the manifest. Memory stays flat.
 *
 * @throws KraftError `setting` where it is no bundle, is damaged or cut off, or comes from a newer kraft.
 */
export async function proveBundle(file: string): Promise<Manifest> {
  const { extract } = await import('tar-stream')
  const archive = extract()
  const source = createReadStream(file)
  source.on('error', (error) => archive.destroy(error))
  source.pipe(archive)
  let manifest: Manifest | undefined
  const found = new Map<string, { size: number; sha256: string }>()
  try {
    for await (const entry of archive) {
      if (manifest === undefined) {
        if (entry.header.name !== 'manifest.json') throw wrong(file, 'it does not begin with a manifest')
        manifest = readManifest(file, await text(entry))
      } else {
        const hash = createHash('sha256')
        let size = 0
        for await (const chunk of entry as AsyncIterable<Buffer>) {
          hash.update(chunk)
          size += chunk.length
        }
        found.set(entry.header.name, { size, sha256: hash.digest('hex') })
      }
    }
  } catch (error) {
    if (error instanceof KraftError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new KraftError({ kind: 'setting', place: { file }, message: 'There is no such file' }, error)
    throw wrong(file, code === 'EISDIR' ? 'it is a folder' : 'it is cut off or damaged', error)
  }
  if (manifest === undefined) throw wrong(file, 'it is empty')
  for (const member of manifest.members) {
    const is = found.get(member.file)
    if (is === undefined) throw wrong(file, `${member.file} is missing in it`)
    if (is.sha256 !== member.sha256)
      throw wrong(file, `${member.file} is damaged: its SHA-256 is ${is.sha256}, and the manifest says ${member.sha256}`)
  }
  const extra = [...found.keys()].find((name) => manifest.members.every((member) => member.file !== name))
  if (extra !== undefined) throw wrong(file, `it holds ${extra}, which the manifest does not name`)
  return manifest
}

function readManifest(file: string, json: string): Manifest {
  let value: Partial<Manifest>
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw wrong(file, 'its manifest is not JSON', error)
  }
  if (value.format !== 'kraftwerk bundle') throw wrong(file, 'its manifest is not that of a bundle')
  if (value.version !== 1) throw wrong(file, `it has version ${value.version}, and this kraft knows version 1`)
  // The names become paths on a node.
  const bad = value.members?.find(
    (member) => !/^[a-z][\w-]*(\.[a-z]+)*$/.test(member.file) || !/^[0-9a-f]{64}$/.test(member.sha256),
  )
  if (value.members === undefined || bad !== undefined) throw wrong(file, 'its manifest names no proper members')
  return value as Manifest
}

function wrong(file: string, why: string, cause?: unknown): KraftError {
  const next = 'Nothing was changed. Make a new one: kraft dump:TARGET FILE'
  return new KraftError({ kind: 'setting', place: { file }, message: `This is no whole bundle: ${why}`, next }, cause)
}
