import { isKraftError, KraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { Target } from '../../engine/task/context.js'
import type { Session } from '../../engine/task/session.js'
import { instanceSettings, loadProject } from '../../project/settings.js'
import { findingOf } from '../../recipes/doctor/finding.js'
import { knownKinds } from '../../recipes/kinds.js'
import type { Attention } from '../../recipes/status/part.js'

/** What a dashboard shows. */
export interface Watched {
  /** Environments of the project. */
  readonly targets: readonly Target[]
  /** Their nodes, and without a word behind the colon all that are remembered. */
  readonly nodes: readonly Node[]
  /** Environments that can't be shown, and why. */
  readonly problems: readonly Attention[]
}

/**
 * Finds what to show: what the words mean, or without any all environments of the project and all remembered nodes. One environment
 * with a mistake does not hide the others.
 *
 * @throws KraftError `usage` where there is nothing to show; `setting` where kraftwerk.yaml can't be read.
 */
export async function watchedBy(session: Session, words: readonly string[]): Promise<Watched> {
  const { found, problems } = words.length === 0 ? await everything(session) : await named(session, words)
  const remembered = words.length === 0 ? (await session.inventory()).all() : []
  const nodes = new Map(found.flatMap((target) => target.nodes).map((node) => [node.name, node]))
  for (const record of remembered) if (!nodes.has(record.name)) nodes.set(record.name, session.connect(record, 'every'))
  if (nodes.size === 0 && problems.length === 0) {
    throw new KraftError({
      kind: 'usage',
      message: 'There is nothing to show yet: no node is remembered',
      next: 'Make one: kraft provision one',
    })
  }
  return { targets: found.filter(({ project }) => project !== undefined), nodes: [...nodes.values()], problems }
}

interface Found {
  readonly found: readonly Target[]
  readonly problems: readonly Attention[]
}

async function named(session: Session, words: readonly string[]): Promise<Found> {
  const all = await Promise.all(words.map((word) => session.resolve(word, undefined, false)))
  return { found: all.flat(), problems: [] }
}

async function everything(session: Session): Promise<Found> {
  const project = await loadProject(session.folder, knownKinds())
  if (project === undefined) return { found: [], problems: [] }
  const words = Object.keys(project.environments).filter((name) => instanceSettings(project, name).nodes.length > 0)
  // A project without overrides is on the node that is the default one, if on any.
  if (words.length === 0) return { found: await session.resolve(undefined, 'instance', false).catch(nothing), problems: [] }
  const found: Target[] = []
  const problems: Attention[] = []
  for (const word of words) {
    try {
      found.push(...(await session.resolve(word, 'instance', false)))
    } catch (error) {
      const { what, next } = findingOf(error)
      problems.push({ what, next })
    }
  }
  return { found, problems }
}

function nothing(error: unknown): readonly Target[] {
  if (isKraftError(error) && error.failure.kind === 'usage') return []
  throw error
}
