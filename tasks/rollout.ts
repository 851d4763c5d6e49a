import { hostname, userInfo } from 'node:os'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { lockNode, type NodeLock } from '../engine/node/node-lock.js'
import type { Item, Line } from '../engine/report/report.js'
import { sh } from '../engine/shell/sh.js'
import type { Applied } from '../engine/step/show.js'
import type { Step } from '../engine/step/step.js'
import { expectNodes, noteNode } from '../engine/task/node-ends.js'
import type { Session } from '../engine/task/session.js'
import { layout } from '../project/layout.js'
import { type Application, environOf, hostOf } from '../recipes/application.js'
import { destroyInstance } from '../recipes/destroy.js'
import { abandon, drainOthers, healthy, startBeside, switchTo } from '../recipes/gunicorn.js'
import { processes } from '../recipes/processes.js'
import { pointLive, prepareGeneration, type Release } from '../recipes/release.js'

/** One change of what an instance serves, on all its nodes or on a batch of them: a deploy or a reload. */
export interface Rollout {
  readonly application: Application
  readonly nodes: readonly Node[]
  readonly session: Session
  readonly kind: 'release' | 'generation'
  /** The release on each node; a reload finds out on the node which one is current. */
  releaseOn(node: Node): Release
  readonly locks: Map<string, NodeLock>
  /** Nodes that had nothing of this instance before: a first deploy that fails leaves nothing behind. */
  readonly fresh: Set<string>
  readonly applied: Applied[]
}

/** An item that does the same on all nodes, side by side; with one node there is no level for it. */
export function onEach({ nodes, session }: Rollout, title: string, run: (node: Node, line: Line) => Promise<unknown>): Item {
  return {
    title,
    run: async (line) => {
      const [only] = nodes
      if (nodes.length === 1 && only !== undefined) await run(only, line)
      else
        await line.list(
          nodes.map((node) => ({ title: node.name, run: (own) => run(node, own).then(() => undefined) })),
          { concurrent: session.spread?.parallel ?? true },
        )
    },
  }
}

/** Steps on all nodes. */
export function stepsOnEach(
  rollout: Rollout,
  title: string,
  steps: (node: Node) => readonly Step[] | Promise<readonly Step[]>,
): Item {
  return onEach(rollout, title, async (node, line) => rollout.applied.push(await node.apply(title, await steps(node), line)))
}

/** Does what comes before any change; where that fails, nothing ran on any node. */
export async function begin({ nodes, session }: Rollout, first: () => Promise<void>): Promise<void> {
  expectNodes(session, nodes)
  try {
    await first()
  } catch (error) {
    for (const { name } of nodes) noteNode(session, name, 'not run')
    throw error
  }
}

/** Takes the instance's lock on all nodes, in the order of their names, so that two deploys never wait for each other. */
export function lock(rollout: Rollout): Item {
  return {
    title: 'Lock',
    run: async (line) => {
      if (rollout.session.flags.dryRun) return line.skip('a dry run changes nothing')
      const holder = `${userInfo().username}@${hostname()}`
      for (const node of [...rollout.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const held = await lockNode(node, rollout.application.instance.name, holder)
        rollout.locks.set(node.name, held)
        rollout.session.onEnd(() => held.release())
      }
    },
  }
}

/** New processes beside the old ones, asked for their health through their own socket. */
export function startAndCheck(rollout: Rollout): readonly Item[] {
  const { settings } = rollout.application.instance
  return [
    stepsOnEach(rollout, 'Start beside the old', (node) => startSteps(rollout, node)),
    stepsOnEach(rollout, 'Health check', (node) =>
      healthy(
        rollout.releaseOn(node),
        settings.health,
        hostOf(rollout.application.instance, node.record),
        settings.https === undefined || settings.https.off ? 'http' : 'https',
      ),
    ),
  ]
}

function startSteps({ application, releaseOn }: Rollout, node: Node): readonly Step[] {
  const { workers, threads, timeout } = application.instance.settings
  return startBeside(releaseOn(node), { wsgi: application.wsgi, workers, threads, timeout })
}

/** Renders the templates of all processes, so that a mistake in one is found before anything changes. */
export function renderProcesses(rollout: Rollout): void {
  for (const node of rollout.nodes) startSteps(rollout, node)
  restartSteps(rollout)
}

/** The environment of the processes to come. */
export function generationSteps(rollout: Rollout, node: Node): readonly Step[] {
  const release = rollout.releaseOn(node)
  return [
    ...prepareGeneration(release, environOf(rollout.application, release, node.record)),
    ...(rollout.kind === 'release' ? pointLive(release) : []),
  ]
}

/** Switch all nodes, then let the old processes finish. */
export function switchAndDrain(rollout: Rollout): readonly Item[] {
  return [
    stepsOnEach(rollout, 'Switch', (node) => {
      const held = rollout.locks.get(node.name)
      return switchTo(rollout.releaseOn(node), rollout.kind, held ?? { file: '/dev/null', number: '' })
    }),
    stepsOnEach(rollout, 'Drain the old', (node) =>
      drainOthers(rollout.releaseOn(node), rollout.application.instance.settings.timeout),
    ),
  ]
}

/** The project's other processes follow the release: they start anew after the switch. */
export function restartProcesses(rollout: Rollout): readonly Item[] {
  return [stepsOnEach(rollout, 'Processes', () => restartSteps(rollout))]
}

function restartSteps({ application: { instance } }: Rollout): readonly Step[] {
  return processes(instance, instance.settings.processes, { patience: instance.settings.timeout })
}

/** Runs items; if one fails, what has not switched is taken back before the failure is shown. */
export async function orTakeBack(rollout: Rollout, line: Line, items: readonly Item[]): Promise<void> {
  const begun = new Set<string>()
  const watched = items.map((item) => ({
    ...item,
    run: (own: Line) => {
      begun.add(item.title)
      return item.run(own)
    },
  }))
  try {
    await line.list(watched)
  } catch (error) {
    if (rollout.session.flags.dryRun) throw error
    try {
      await line.list([takingBack(rollout)])
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
function afterwards(
  { application, kind, nodes, locks, ...rollout }: Rollout,
  begun: ReadonlySet<string>,
  error: unknown,
): unknown {
  if (!isKraftError(error) || begun.has('Switch')) return error
  const { failure } = error
  if ((failure.kind !== 'step' && failure.kind !== 'command') || failure.next !== undefined) return error
  const { instance, release } = application
  const fresh = nodes.some(({ name }) => rollout.fresh.has(name))
  // Other nodes may have switched in an earlier batch.
  const where = nodes.length < locks.size ? ' there' : ''
  const serving = fresh
    ? `Nothing of ${instance.name} is left on the node`
    : `Nothing was switched${where}: ${instance.name} serves what it served before`
  const ran = kind === 'release' && !fresh && release !== undefined && begun.has('Start beside the old')
  const data = ran ? `, but the release command (${release}) has run` : ''
  return new KraftError({ ...failure, next: `${serving}${data}. Correct it and run the same command again` }, error)
}

function takingBack(rollout: Rollout): Item {
  const title = 'Take it back'
  return onEach(rollout, title, async (node, line) => {
    const { counts } = await node.apply(title, await takeBack(rollout, node), line)
    // What had switched stays.
    if (counts.changed > 0) noteNode(rollout.session, node.name, 'taken back')
  })
}

// A first deploy that never served leaves nothing of the instance: there can't be data that anybody misses.
async function takeBack(rollout: Rollout, node: Node): Promise<readonly Step[]> {
  const { instance } = rollout.application
  if (rollout.fresh.has(node.name) && (await node.read(sh`readlink ${layout.current(instance)} || :`.text)).trim() === '') {
    return destroyInstance(instance)
  }
  return abandon(rollout.releaseOn(node), rollout.kind)
}
