import { KraftError } from '../engine/errors/failure.js'
import { packedSize } from '../engine/transfer/pack.js'
import type { Instance } from './instance.js'

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

/** The manifest of what an instance holds. */
export function manifestOf(
  { project, environment, name }: Instance,
  given: Pick<Manifest, 'kraft' | 'release' | 'time' | 'members'>,
): Manifest {
  return {
    format: 'kraftwerk bundle',
    version: 1,
    project: project.name,
    environment: environment ?? null,
    instance: name,
    ...given,
  }
}

/** What is in a bundle of which only these services are wanted; all where none is named. */
export function narrow(manifest: Manifest, only: readonly string[]): Manifest {
  if (only.length === 0) return manifest
  return { ...manifest, members: manifest.members.filter(({ service }) => only.includes(service)) }
}

/** Bytes of a bundle of these members, as a tar archive. */
export function bundleSize(members: readonly Pick<Member, 'size'>[]): number {
  return packedSize(members.map(({ size }) => size))
}

/** Bytes; a real one has some hundred for each table. */
export const largestManifest = 16 * 1024 * 1024

/** Reads the manifest of the bundle `name`. Throws `setting` where it is none, or that of a newer kraft. */
export async function readManifest(name: string, json: string): Promise<Manifest> {
  const v = await import('valibot')
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw noBundle(name, 'its manifest is not JSON', error)
  }
  const head = v.safeParse(v.object({ format: v.literal('kraftwerk bundle'), version: v.number() }), value)
  if (!head.success) throw noBundle(name, 'its manifest is not that of a bundle')
  const { version } = head.output
  if (version !== 1) {
    throw new KraftError({
      kind: 'setting',
      place: { file: name },
      message: `This bundle has version ${version}, and this kraft knows version 1`,
      next: version > 1 ? 'Nothing was changed. Update kraft: npm install kraftwerk@latest' : 'Nothing was changed',
    })
  }
  const member = v.object({
    // The names become paths on a node.
    file: v.pipe(v.string(), v.regex(/^[a-z][\w-]*(\.[a-z0-9]+)*$/)),
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
  if (manifest.success) return manifest.output
  const [issue] = manifest.issues
  throw noBundle(name, `its manifest is wrong at ${v.getDotPath(issue) ?? 'its top'}: ${issue.message}`)
}

/** Why something is no bundle that could be loaded. */
export function noBundle(name: string, why: string, cause?: unknown): KraftError {
  const next = 'Nothing was changed. Make a new one: kraft dump:TARGET FILE'
  return new KraftError({ kind: 'setting', place: { file: name }, message: `This is no whole bundle: ${why}`, next }, cause)
}
