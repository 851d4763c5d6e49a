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
        manifest = await readManifest(file, await text(entry))
      } else {
        const { name, type } = entry.header
        if (type !== 'file') throw wrong(file, `${name} in it is no file but a ${type}`)
        if (found.has(name)) throw wrong(file, `${name} is in it twice`)
        const hash = createHash('sha256')
        let size = 0
        for await (const chunk of entry as AsyncIterable<Buffer>) {
          hash.update(chunk)
          size += chunk.length
        }
        found.set(name, { size, sha256: hash.digest('hex') })
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
    if (is.size !== member.size) throw wrong(file, `${member.file} has ${is.size} bytes, and the manifest says ${member.size}`)
    if (is.sha256 !== member.sha256)
      throw wrong(file, `${member.file} is damaged: its SHA-256 is ${is.sha256}, and the manifest says ${member.sha256}`)
  }
  const extra = [...found.keys()].find((name) => manifest.members.every((member) => member.file !== name))
  if (extra !== undefined) throw wrong(file, `it holds ${extra}, which the manifest does not name`)
  return manifest
}

async function readManifest(file: string, json: string): Promise<Manifest> {
  const v = await import('valibot')
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw wrong(file, 'its manifest is not JSON', error)
  }
  const head = v.safeParse(v.object({ format: v.literal('kraftwerk bundle'), version: v.number() }), value)
  if (!head.success) throw wrong(file, 'its manifest is not that of a bundle')
  const { version } = head.output
  if (version !== 1) {
    throw new KraftError({
      kind: 'setting',
      place: { file },
      message: `This bundle has version ${version}, and this kraft knows version 1`,
      next: version > 1 ? 'Nothing was changed. Update kraft: npm install kraftwerk@latest' : 'Nothing was changed',
    })
  }
  const member = v.object({
    // The names become paths on a node.
    file: v.pipe(v.string(), v.regex(/^[a-z][\w-]*(\.[a-z]+)*$/)),
    service: v.string(),
    size: v.pipe(v.number(), v.integer(), v.minValue(0)),
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    counts: v.record(v.string(), v.number()),
  })
  const manifest = v.safeParse(
    v.object({
      format: v.literal('kraftwerk bundle'),
      version: v.literal(1),
      kraft: v.string(),
      project: v.string(),
      environment: v.nullable(v.string()),
      instance: v.string(),
      release: v.string(),
      time: v.string(),
      members: v.array(member),
    }),
    value,
  )
  if (!manifest.success) {
    const [issue] = manifest.issues
    throw wrong(file, `its manifest is wrong at ${v.getDotPath(issue) ?? 'its top'}: ${issue.message}`)
  }
  return manifest.output
}

function wrong(file: string, why: string, cause?: unknown): KraftError {
  const next = 'Nothing was changed. Make a new one: kraft dump:TARGET FILE'
  return new KraftError({ kind: 'setting', place: { file }, message: `This is no whole bundle: ${why}`, next }, cause)
}
