import { isKraftError, KraftError } from '../../engine/errors/failure.js'
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
import { inOrder, type Part } from './parts.js'
import { onEach, type Rollout } from './rollout.js'
import { logEntry } from './switch.js'

/**
 * Runs the parts of a rollout. If one fails, what is new is taken back before the failure is shown; where a node can't switch or does
 * not answer any more, all that have switched go back, for their old processes still run.
 */
export async function orTakeBack(rollout: Rollout, line: Line, parts: readonly Part[]): Promise<void> {
  const begun = new Set<string>()
  try {
    await line.list(inOrder(rollout, parts, (title) => begun.add(title)))
  } catch (error) {
    if (rollout.session.flags.dryRun) throw error
    try {
      await line.list([takingBack(rollout, begun)])
    } catch (also) {
      line.output(`Taking it back failed as well: ${String(also)}`)
      throw error
    }
    throw afterwards(rollout, begun, error)
  } finally {
    for (const { name } of rollout.nodes) await rollout.locks.get(name)?.release()
  }
}

// Two things are asked first when a deploy fails: does the site still serve, and was data changed?
function afterwards(rollout: Rollout, begun: ReadonlySet<string>, error: unknown): unknown {
  const { application, made, nodes, locks } = rollout
  if (!isKraftError(error) || allSwitched(begun)) return error
  const { failure } = error
  if ((failure.kind !== 'step' && failure.kind !== 'command') || failure.next !== undefined) return error
  const { instance, release } = application
  const fresh = nodes.some(({ name }) => rollout.fresh.has(name))
  // Other nodes may have switched in an earlier batch.
  const where = nodes.length < locks.size ? ' there' : ''
  const was = begun.has('Switch') ? 'It was switched back' : 'Nothing was switched'
  const serving = fresh
    ? `Nothing of ${instance.name} is left on the node`
    : `${was}${where}: ${instance.name} serves what it served before`
  const ran = made === 'release' && !fresh && release !== undefined && begun.has('Start beside the old')
  const data = ran ? `, but the release command (${release}) has run` : ''
  return new KraftError({ ...failure, next: `${serving}${data}. Correct it and run the same command again` }, error)
}

// What comes behind the switch begins only where every node has confirmed it.
function allSwitched(begun: ReadonlySet<string>): boolean {
  return begun.has('Drain the old')
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
