import { isKraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { Item, Line } from '../../engine/report/report.js'
import { sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { noteNode } from '../../engine/task/node-ends.js'
import { layout } from '../../project/layout.js'
import { noteInLog } from '../../recipes/audit.js'
import { destroyInstance } from '../../recipes/destroy.js'
import { abandon } from '../../recipes/gunicorn.js'
import { switchBack } from '../../recipes/journal.js'
import { describeMigrations, migrationsOf } from '../../recipes/migrations.js'
import { afterwards, allSwitched } from './afterwards.js'
import { inOrder, type Part } from './parts.js'
import { onEach, type Rollout } from './rollout.js'
import { logEntry } from './switch.js'

/**
 * Runs the parts of a rollout. If one fails, what is new is taken back before the failure is shown; where a node can't switch or does
 * not answer any more, all that have switched go back, for their old processes still run.
 */
export async function orTakeBack(rollout: Rollout, line: Line, parts: readonly Part[]): Promise<void> {
  const begun = new Set<string>()
  const note = (title: string) => {
    for (const each of [begun, rollout.begun]) each.add(title)
  }
  try {
    await line.list(inOrder(rollout, parts, note))
  } catch (error) {
    if (rollout.session.flags.dryRun) throw error
    if (onlyLooked(parts, begun, error)) {
      for (const { name } of rollout.nodes) noteNode(rollout.session, name, 'not run')
      throw afterwards(rollout, error, { begun, released: false, takenBack: true, migrations: undefined })
    }
    const released = hasReleased(rollout, begun)
    let takenBack = true
    try {
      await line.list([takingBack(rollout, begun)])
    } catch (also) {
      takenBack = false
      line.output(`Taking it back failed as well: ${String(also)}`)
    }
    throw afterwards(rollout, error, { begun, released, takenBack, migrations: takenBack ? await migrated(rollout) : undefined })
  } finally {
    if (allSwitched(begun)) for (const { name } of rollout.nodes) rollout.switchedOn.add(name)
    // On its way nothing overtakes it, and nobody waits a round trip for the answer.
    for (const { name } of rollout.nodes) void rollout.locks.get(name)?.release()
  }
}

// The node itself says that it came no further.
function onlyLooked(parts: readonly Part[], begun: ReadonlySet<string>, error: unknown): boolean {
  const looks = new Set(parts.flatMap((part) => ('looks' in part && part.looks === true ? part.title : [])))
  return isKraftError(error) && error.failure.kind === 'step' && begun.size > 0 && [...begun].every((title) => looks.has(title))
}

// Once for all batches, and whatever begins behind it begins when it has ended well.
function hasReleased({ begun: ever }: Rollout, begun: ReadonlySet<string>): boolean {
  return ever.has('Release command') && [...begun].at(-1) !== 'Release command'
}

// Whatever the new release has migrated is there also where its release command failed half-way.
async function migrated({ application: { instance }, made, nodes, releaseOn }: Rollout): Promise<string | undefined> {
  const [first] = nodes
  if (made !== 'release' || first === undefined) return undefined
  return describeMigrations(await first.read(migrationsOf(instance, releaseOn(first).id).text).catch(() => ''))
}

function takingBack(rollout: Rollout, begun: ReadonlySet<string>): Item {
  const title = 'Take it back'
  return onEach(rollout, title, async (node, line) => {
    const { counts } = await node.apply(title, await takeBack(rollout, node, begun), line)
    // What had switched stays.
    if (counts.changed > 0) noteNode(rollout.session, node.name, 'taken back')
  })
}

async function takeBack(rollout: Rollout, node: Node, begun: ReadonlySet<string>): Promise<readonly Step[]> {
  const { instance } = rollout.application
  const release = rollout.releaseOn(node)
  const back = allSwitched(begun) ? [] : switchBack(release)
  const failed = noteInLog(instance, logEntry(rollout, node, 'failed'))
  // A first deploy that never served leaves nothing of the instance: there can't be data that anybody misses.
  const fresh = rollout.fresh.has(node.name)
  const serves = async () =>
    back.length === 0 && (await node.read(sh`readlink ${layout.current(instance)} || :`.text)).trim() !== ''
  if (fresh && !(await serves())) return destroyInstance(instance)
  return [...back, ...abandon(release, rollout.made), ...failed]
}
