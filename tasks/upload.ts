import { createHash } from 'node:crypto'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { cacheFolder } from '../engine/files/cache-folder.js'
import type { Node } from '../engine/node/node.js'
import { size } from '../engine/report/progress-text.js'
import type { Line } from '../engine/report/report.js'
import type { Session } from '../engine/task/session.js'
import { difference, type Held, type Shipment } from '../engine/transfer/difference.js'
import { type Fingerprint, fingerprint } from '../engine/transfer/fingerprint.js'
import { rememberManifest } from '../engine/transfer/manifest-cache.js'
import { Meter } from '../engine/transfer/meter.js'
import { packedSize } from '../engine/transfer/pack.js'
import { askHeld, isDiffering, sendShipment } from '../engine/transfer/upload.js'
import { projectFiles } from '../project/files.js'
import type { Instance } from '../project/instance.js'
import { privateFiles } from '../project/private-files.js'
import { constrained } from '../project/requirements.js'
import { checkOut, type Revision, revision } from '../project/revision.js'
import type { Place } from '../project/service.js'
import { surprises } from '../project/surprises.js'
import type { Application } from '../recipes/application.js'
import type { Release } from '../recipes/release.js'
import { assembleRelease, heldReleases } from '../recipes/upload.js'

/** The code that a deploy sends. */
export interface Source {
  readonly folder: string
  readonly revision: Revision
  /** Files, with what they hold; read anew where `again` is set. */
  files(again?: boolean): Promise<readonly Fingerprint[]>
  /** What somebody may not have meant to send. */
  surprises(): Promise<readonly string[]>
  /** Where it is no code of this machine, but the release of another environment. */
  readonly promoted?: Promoted
}

/** The release of another environment, where it stands. */
export interface Promoted {
  /** `shop stage 20261128-101500`: project, environment, release. */
  readonly from: string
  /** What is installed there, as rows of a constraints file. */
  readonly installed: readonly string[]
  /** By name of a node: the release as a tree that it has, for another instance there. */
  readonly held: ReadonlyMap<string, Held>
}

/** What an upload sent, or would send. */
export interface Sent {
  readonly files: number
  /** Of the files; compressed they are fewer on the line. */
  readonly bytes: number
}

const promotions = new WeakMap<Session, Map<string, Source>>()

/** From here on whatever deploys an instance in this call of kraft, by whatever way it is called, sends this code. */
export function promoteTo({ owner }: Instance, session: Session, code: Source): void {
  promotions.set(session, new Map([...(promotions.get(session) ?? []), [owner, code]]))
}

/**
 * The working tree of a project, or with `rev` its code at a revision of its repository, in a folder that goes with the session; or
 * what is promoted.
 */
export async function openSource(instance: Instance, session: Session, rev: string | undefined): Promise<Source> {
  const promoted = promotions.get(session)?.get(instance.owner)
  if (promoted !== undefined) return promoted
  const stays = privateFiles(instance.project)
  if (rev === undefined) {
    const name = createHash('sha256')
      .update(await realpath(instance.folder))
      .digest('hex')
      .slice(0, 16)
    return source(instance.folder, await revision(instance.folder), stays, join(cacheFolder(), 'hashes', `${name}.json`))
  }
  const temporary = await mkdtemp(join(tmpdir(), 'kraft-revision-'))
  session.onEnd(() => rm(temporary, { recursive: true, force: true }))
  const { folder, revision: found } = await checkOut(instance.folder, rev, temporary)
  return source(folder, found, stays)
}

/** An application whose packages are to be the very same versions as where its code is promoted from. */
export function pinned(application: Application, { promoted }: Source): Application {
  if (promoted === undefined) return application
  return { ...application, requirements: constrained(application.requirements, promoted.installed) }
}

function source(folder: string, found: Revision, stays: readonly string[], memory?: string): Source {
  let repositories: readonly string[] = []
  const read = async () => {
    const listed = await projectFiles(folder, stays)
    repositories = listed.repositories
    return fingerprint(folder, listed.entries, memory)
  }
  let files: ReturnType<typeof read> | undefined
  return {
    folder,
    revision: found,
    files: (again = false) => {
      if (again) files = undefined
      files ??= read()
      return files
    },
    async surprises() {
      files ??= read()
      return surprises(folder, await files, repositories)
    },
  }
}

const cache = join(cacheFolder(), 'manifests')

/** Asks a node what it has of an instance's releases. */
export function heldOn(node: Node, place: Place): Promise<readonly Held[]> {
  return askHeld(node.connection, node.asRoot(heldReleases(place).text), cache)
}

/** Has a node get ready for {@link upload}, which then takes one round trip. */
export function expectUpload(node: Node, release: Release): void {
  node.connection.ahead?.(node.asRoot(assembleRelease(release).text))
}

/**
 * Brings a release to a node: asks what it has (where `held` does not tell it), sends the rest, and has it put together beside the others. Where the files or what
 * the node has of them changed meanwhile, all of it goes once more. A dry run only asks. `alone`: it is the only node.
 */
export async function upload(
  node: Node,
  from: Source,
  release: Release,
  line: Line,
  { dryRun, alone, held }: { readonly dryRun: boolean; readonly alone: boolean; readonly held?: readonly Held[] },
): Promise<Sent> {
  const near = from.promoted?.held.get(node.name)
  const trees = held ?? (await heldOn(node, release.place))
  const shipment = difference(await from.files(), near === undefined ? trees : [...trees, near])
  if (dryRun) {
    line.skip(`a dry run sends nothing; it would be ${described(shipment)} before compression`)
    return sentOf(shipment)
  }
  const send = async (each: Shipment): Promise<Sent> => {
    const meter = new Meter(line, packedSize(each.packed.map((entry) => entry.size)))
    const bytes = await sendShipment(node.connection, from.folder, each, node.asRoot(assembleRelease(release).text), meter.count)
    await rememberManifest(cache, each.manifest)
    line.title(`${alone ? 'Upload' : `${node.name}:`} ${described(each)} (${size(bytes)} sent)`)
    return sentOf(each)
  }
  try {
    return await send(shipment)
  } catch (error) {
    if (!isDiffering(error) && !isUnpacked(error)) throw error
  }
  try {
    return await send(difference(await from.files(true), []))
  } catch (error) {
    if (!isDiffering(error)) throw error
    throw new KraftError(
      {
        kind: 'task',
        node: node.name,
        message: 'the files of the project changed while they were sent',
        output: isKraftError(error) && 'output' in error.failure ? (error.failure.output ?? '') : '',
        next: 'Wait until nothing writes there any more, then run the same command again',
      },
      error,
    )
  }
}

// What is packed was there a moment ago, when it was hashed.
function isUnpacked(error: unknown): boolean {
  return isKraftError(error) && error.failure.kind === 'task' && error.failure.message.includes('could not be packed')
}

function sentOf({ files, bytes }: Shipment): Sent {
  return { files, bytes }
}

function described({ files, bytes, manifest }: Shipment): string {
  const all = manifest.entries.length
  return `${files} of ${all} ${all === 1 ? 'file' : 'files'}, ${size(bytes)}`
}
