import { buffer } from 'node:stream/consumers'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { NodeLock } from '../engine/node/node-lock.js'
import type { Line } from '../engine/report/report.js'
import type { Step } from '../engine/step/step.js'
import type { TargetContext } from '../engine/task/context.js'
import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import type { Instance } from '../project/instance.js'
import { type EnvironChange, forgetEnviron, keepSwitched, prepareEnviron, storeEnviron } from '../recipes/environ.js'
import { claim } from '../recipes/instance.js'
import { dropChange, planChange } from './change-to-come.js'
import { givenNames, givenVariables } from './env-input.js'
import { holdLock } from './hold-lock.js'
import { type KeptOn, readKept } from './kept-environ.js'
import { whoAmI } from './rollout/switch.js'

/** A call of `env set` or `env unset`. */
export interface SetRequest {
  readonly instance: Instance
  readonly nodes: readonly Node[]
  readonly session: Session
  readonly line: Line
  readonly call: TargetContext<unknown>['call']
  /** The target, as it was typed. */
  readonly word: string
  readonly verb: 'set' | 'unset'
  readonly names: readonly string[]
  readonly fromStdin: boolean
  readonly reload: boolean
}

/** Sets or unsets variables on all nodes or on none, and starts the processes anew with them, beside the old ones. */
export async function setEnviron(request: SetRequest): Promise<Result> {
  const { instance, nodes, session, line, verb, names, fromStdin } = request
  const { prompt } = session
  const set = verb === 'set' ? await givenVariables(names, { fromStdin, prompt, stdin: () => buffer(process.stdin) }) : new Map()
  const kept = await readKept(instance, nodes)
  const unset = verb === 'set' ? [] : givenNames(names, [...new Set(kept.flatMap(({ variables }) => [...variables.keys()]))])
  const change: EnvironChange = { set, unset, by: whoAmI(), at: new Date() }
  const done = { set: [...set.keys()], unset }
  const said = [...done.set, ...unset].join(', ')
  const is = set.size + unset.length === 1 ? 'is' : 'are'
  const stopped = kept.some((each) => each.stopped)
  // What somebody has stopped is not started by a variable.
  const reloads = request.reload && !stopped
  const serving = reloads ? kept.filter(({ release }) => release !== undefined) : []
  if (kept.every((each) => holds(each, change, reloads))) {
    return new Result(`${said} ${is} ${verb} already, and nothing was changed`, { ...done, changed: false, reloaded: false })
  }
  if (serving.length > 0)
    await reloadWith(
      request,
      change,
      serving.map(({ node }) => node),
    )
  const rest = nodes.filter((node) => !serving.some((each) => each.node === node))
  if (rest.length > 0) await store(instance, rest, session, line, change)
  const data = { ...done, changed: true, reloaded: serving.length > 0 }
  if (session.flags.dryRun) return new Result(`Would ${verb} ${said} for ${instance.name}`, data)
  const later = stopped
    ? `which is stopped: kraft reload:${request.word} starts it with that`
    : 'and the next deploy or reload takes it up'
  const effect = serving.length > 0 ? 'and its processes run with that' : later
  return new Result(`${said} ${is} ${verb} for ${instance.name}, ${effect}`, data)
}

/** Whether a node has all of a change already, and, where it matters, its processes run with it. */
function holds({ variables, used, release }: KeptOn, { set, unset }: EnvironChange, running: boolean): boolean {
  const places = running && release !== undefined ? [variables, used] : [variables]
  return places.every(
    (place) =>
      [...set].every(([name, value]) => place.get(name)?.equals(value) === true) && unset.every((name) => !place.has(name)),
  )
}

/** A reload whose new processes bring the change. What they switch to is kept; where they never serve, nothing was changed. */
async function reloadWith(request: SetRequest, change: EnvironChange, nodes: readonly Node[]): Promise<void> {
  const { instance, session, line, call } = request
  planChange(session, instance.name, change)
  const keep = () => apply(session, nodes, line, 'Keep what was set', keepSwitched(instance))
  try {
    await call(await session.task('reload'))
  } catch (error) {
    if (session.flags.dryRun) throw error
    // Where the new processes served before something failed, the change counts.
    const counts = await keep().then(
      (changed) => changed > 0,
      () => undefined,
    )
    throw told(error, counts)
  } finally {
    dropChange(session, instance.name)
  }
  if ((await keep()) > 0 || session.flags.dryRun) return
  throw new KraftError({
    kind: 'task',
    message: `The task reload of the kraftfile started no processes of ${instance.name}, so nothing was set`,
    next: 'Only store it (--no-reload), or let that task call the built-in one',
  })
}

function told(error: unknown, counts: boolean | undefined): unknown {
  if (!isKraftError(error)) return error
  const { failure } = error
  if (failure.kind === 'several') {
    return new KraftError(
      { ...failure, failed: failure.failed.map((each) => ({ ...each, error: told(each.error, counts) })) },
      error,
    )
  }
  if (failure.kind !== 'step' && failure.kind !== 'command' && failure.kind !== 'task') return error
  const said =
    counts === undefined
      ? 'kraft env:TARGET tells what is set now'
      : counts
        ? 'What was given is set, because its processes have served'
        : 'What is set on the node is what it was before'
  return new KraftError({ ...failure, next: failure.next === undefined ? said : `${failure.next}. ${said}` }, error)
}

/** Only stores a change: prepared on all nodes before it counts on any. */
async function store(
  instance: Instance,
  nodes: readonly Node[],
  session: Session,
  line: Line,
  change: EnvironChange,
): Promise<void> {
  const locks: NodeLock[] = []
  const run = (title: string, steps: readonly Step[]) => apply(session, nodes, line, title, steps)
  try {
    // In the order of their names, so that two calls never wait for each other.
    for (const node of session.flags.dryRun ? [] : [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      locks.push(await holdLock(session, node, instance.name, line))
    }
    try {
      await run('Store', [...claim(instance, instance.owner), ...prepareEnviron(instance, change)])
    } catch (error) {
      if (!session.flags.dryRun) await run('Take it back', forgetEnviron(instance)).catch(() => undefined)
      throw error
    }
    await run('Keep', storeEnviron(instance, change))
  } finally {
    for (const lock of locks) await lock.release()
  }
}

/** Steps on all nodes; returns how many changed something. */
async function apply(
  session: Session,
  nodes: readonly Node[],
  line: Line,
  title: string,
  steps: readonly Step[],
): Promise<number> {
  let changed = 0
  await line.list([
    {
      title,
      run: async (own) => {
        await eachNode(session, nodes, own, async (node, each) => {
          changed += (await node.apply(title, steps, each)).counts.changed
        })
      },
    },
  ])
  return changed
}
