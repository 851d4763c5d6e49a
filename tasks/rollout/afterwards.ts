import { isKraftError, KraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { Line } from '../../engine/report/report.js'
import { inBatches } from '../../engine/task/in-batches.js'
import type { Rollout } from './rollout.js'

/** What is known of a rollout that failed. */
export interface Fallen {
  /** The parts that have begun on some node. */
  readonly begun: ReadonlySet<string>
  /** Its release command has run to its end. */
  readonly released: boolean
  /** What its release command has migrated, as text. */
  readonly migrations: string | undefined
  /** What was new could be taken back. */
  readonly takenBack: boolean
}

/** What comes behind the switch begins only where every node has confirmed it. */
export function allSwitched(begun: ReadonlySet<string>): boolean {
  return begun.has('Drain the old')
}

/**
 * An error with one more line, of what serves now: two things are asked first when a deploy fails. Does the site still serve, and was
 * data changed?
 */
export function afterwards(rollout: Rollout, error: unknown, { begun, released, migrations, takenBack }: Fallen): unknown {
  const { application, nodes, locks, fresh } = rollout
  const { instance, release } = application
  if (allSwitched(begun)) return saying(error, servesAllTheSame(rollout))
  if (!takenBack) return saying(error, `Taking it back failed as well: kraft status says what each node serves`)
  const gone = nodes.filter(({ name }) => fresh.has(name))
  // Other nodes may have switched in an earlier batch.
  const where = nodes.length < locks.size ? ' there' : ''
  const was = begun.has('Switch') ? 'It was switched back' : 'Nothing was switched'
  const serving =
    gone.length === nodes.length
      ? `Nothing of ${instance.name} is left on ${gone.length === 1 ? 'the node' : 'the nodes'}`
      : `${was}${where}: ${instance.name} serves what it served before${gone.length === 0 ? '' : `, and nothing of it is left on ${list(gone)}`}`
  const ran = released && gone.length < nodes.length
  const data = [
    ...(ran ? [`, but the release command (${release}) has run`] : []),
    ...(migrations === undefined ? [] : [`; these migrations stay applied: ${migrations}`]),
  ].join('')
  return saying(error, `${serving}${data}`)
}

/** Runs a rollout on all nodes or, where `--batch` asks for it, part after part; where parts fail the error ends with what serves where. */
export async function inParts(whole: Rollout, line: Line, run: (part: Rollout, line: Line) => Promise<unknown>): Promise<void> {
  try {
    await inBatches(whole.session, whole.nodes, line, (batch, own) => run({ ...whole, nodes: batch }, own))
  } catch (error) {
    // One part has said it already.
    if (
      whole.session.flags.dryRun ||
      !isKraftError(error) ||
      error.failure.kind !== 'several' ||
      error.failure.next !== undefined
    )
      throw error
    throw saying(error, mixture(whole))
  }
}

/** Runs what comes when a release serves everywhere; where it fails the error ends with that. */
export async function onceServed(whole: Rollout, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw whole.session.flags.dryRun ? error : saying(error, servesAllTheSame(whole))
  }
}

function mixture(whole: Rollout): string {
  const { name } = whole.application.instance
  const [done, left] = [true, false].map((is) => whole.nodes.filter((node) => whole.switchedOn.has(node.name) === is))
  if (done === undefined || left === undefined || left.length === 0) return servesAllTheSame(whole)
  if (done.length === 0) return `Nothing was switched: ${name} serves what it served before`
  return `${name} serves ${what(whole)} on ${list(done)}, and what it served before on ${list(left)}`
}

function servesAllTheSame(rollout: Rollout): string {
  return `${rollout.application.instance.name} serves ${what(rollout)} all the same: only what comes after the switch is left to do`
}

function what({ switched, releaseOn, nodes }: Rollout): string {
  const node = nodes.find((each) => switched(each) === 'current')
  return node === undefined ? 'the release with new processes' : `release ${releaseOn(node).id}`
}

function list(nodes: readonly Node[]): string {
  return nodes.map(({ name }) => name).join(', ')
}

/** An error that says this, before what is to be done next. Of several it is said once. */
function saying(error: unknown, text: string): unknown {
  if (!isKraftError(error)) return error
  const { failure } = error
  const again = 'Correct it and run the same command again'
  switch (failure.kind) {
    case 'several':
      return new KraftError({ ...failure, failed: failure.failed.map(withoutRest), next: `${text}. ${again}` }, error)
    case 'step':
    case 'command':
    case 'task':
    case 'unreachable':
    case 'host-key':
      return new KraftError({ ...failure, next: `${text}. ${failure.next ?? again}` }, error)
    default:
      return error
  }
}

// That what is done stays done does not hold for what was taken back.
function withoutRest<T extends { readonly error: unknown }>(ended: T): T {
  const { error } = ended
  if (!isKraftError(error)) return ended
  const { failure } = error
  if (failure.kind === 'several') {
    return { ...ended, error: new KraftError({ ...failure, failed: failure.failed.map(withoutRest) }, error) }
  }
  if (failure.kind !== 'step') return ended
  const { left: _, ...rest } = failure
  return { ...ended, error: new KraftError(rest, error) }
}
