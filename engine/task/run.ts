import type { Shell } from 'zx'
import { formatPlace, KraftError } from '../errors/failure.js'
import { hasRole, type Node } from '../node/node.js'
import type { Line } from '../report/report.js'
import { WholeLines } from '../report/whole-lines.js'
import { checkSteps } from './check-steps.js'
import type { Asked, NodeContext, Target, TargetContext, TaskProject } from './context.js'
import { eachNode } from './each-node.js'
import { hooksOf } from './hooks.js'
import { noProject } from './no-project.js'
import { keepPartial, nodeEnds, noteFailure, noteNode } from './node-ends.js'
import { onlyOnce, refuseCircle } from './only-once.js'
import { defaultOptions, requireOptions } from './option.js'
import { isExitCode, type Result, resultOfMembers, resultOfNodes } from './result.js'
import type { Session } from './session.js'
import { takenBy } from './taken.js'
import type { Task, TaskSpec } from './task.js'

/** One call of a task. */
export interface Call {
  readonly task: Task
  readonly target: Target
  /** All targets of the call, for a task that gathers them. */
  readonly asked?: Asked
  /** As given; what was fixed with `.with` wins over them, and defaults fill in. */
  readonly options: Readonly<Record<string, unknown>>
  readonly rest: readonly string[]
  readonly session: Session
  /** The node that the caller runs on, where a body for one node calls another task. */
  readonly node?: Node
  /** The tasks whose hooks run now. */
  readonly hooked?: readonly TaskSpec[]
  /** The tasks that wait for this one, because they depend on it. */
  readonly chain?: readonly TaskSpec[]
}

/** Runs a task with its hooks on a target and returns what its body returned. */
export function runTask(call: Call, line: Line): Promise<unknown> {
  return call.task.spec.onlyOnce === true ? runShared(call, line) : runAnew(call, line)
}

async function runShared(call: Call, line: Line): Promise<unknown> {
  const { session, task, target, options, rest, node, chain = [] } = call
  refuseCircle(chain, task.spec, nameOf(call))
  const where = `${target.word} ${node?.name ?? ''}`
  return onlyOnce(session, { task, options, rest, where }, () => runAnew({ ...call, chain: [...chain, task.spec] }, line))
}

async function runAnew(call: Call, line: Line): Promise<unknown> {
  const { chain = [] } = call
  const { dependsOn = [] } = call.task.spec
  for (const task of dependsOn) {
    await runShared({ ...call, task, options: {}, rest: [], chain: [...chain, call.task.spec] }, line)
  }
  const { before, after } = hooksOf(call.task)
  for (const hook of before) await runTask(hookCall(call, hook), line)
  const result = await runBody(call, line)
  for (const hook of after) await runTask(hookCall(call, hook), line)
  return result
}

// A hook has options of its own, and what follows `--` is not meant for it.
function hookCall(call: Call, hook: Task): Call {
  const hooked = [...(call.hooked ?? []), call.task.spec]
  if (!hooked.includes(hook.spec)) return { ...call, task: hook, options: {}, rest: [], hooked }
  throw new KraftError({ kind: 'usage', message: `${nameOf(call, hook)} is, by way of its hooks, a hook of itself` })
}

async function runBody(given: Call, line: Line): Promise<unknown> {
  const { spec, given: fixed } = given.task
  const specs = spec.options ?? {}
  const call: Call = { ...given, options: { ...defaultOptions(specs), ...given.options, ...fixed } }
  requireOptions(nameOf(call), specs, call.options)
  if (spec.on === 'once') {
    if (call.node === undefined) return spec.members === undefined ? runOnce(call, line) : runMembers(call, spec.members, line)
    throw new KraftError({
      kind: 'usage',
      message: `${nameOf(call)} is for a whole target and cannot run inside a task that runs on one node at a time`,
      next: "Put both side by side with series(), or give the calling task on: 'once'",
    })
  }
  const nodes = choose(call)
  // What is called on one node is part of what happens there, and ends with it.
  if (call.node !== undefined) return runOnNode(call, call.node, line)
  const values = new Map<Node, unknown>()
  try {
    await eachNode(call.session, nodes, line, (node, own) => runOnNode(call, node, own), { parallel: spec.parallel, values })
  } catch (error) {
    if (nodes.length > 1) keepPartial(call.session, call.target.word, ofNodes(call, nodes, values))
    throw error
  }
  const [only] = nodes
  return nodes.length === 1 && only !== undefined ? values.get(only) : ofNodes(call, nodes, values)
}

function ofNodes({ session }: Call, nodes: readonly Node[], values: ReadonlyMap<Node, unknown>): Result {
  const names = nodes.map(({ name }) => name)
  return resultOfNodes(
    nodeEnds(session)
      .filter(({ node }) => names.includes(node))
      .sort((a, b) => names.indexOf(a.node) - names.indexOf(b.node)),
    new Map([...values].map(([node, value]) => [node.name, value])),
  )
}

async function runMembers(call: Call, members: readonly Task[], line: Line): Promise<unknown> {
  const ran = new Map<number, { name: string; value: unknown }>()
  await line.list(
    members.map((task, index) => ({
      title: nameOf(call, task),
      run: async (own) => {
        const value = await runTask({ ...call, task }, own)
        // A shell script under `set -e` would end here too.
        if (isExitCode(value) && value.code !== 0) {
          throw new KraftError({ kind: 'task', message: `${nameOf(call, task)} ended with code ${value.code}` })
        }
        ran.set(index, { name: nameOf(call, task), value })
      },
    })),
    { concurrent: call.task.spec.together === true },
  )
  return resultOfMembers([...ran].sort(([a], [b]) => a - b).map(([, each]) => each))
}

function choose(call: Call): readonly Node[] {
  const { target, task } = call
  const { on } = task.spec
  const role = typeof on === 'object' ? on.role : 'web'
  const nodes = on === 'each' ? target.nodes : target.nodes.filter((node) => hasRole(node, role))
  if (nodes.length === 0) {
    throw new KraftError({
      kind: 'usage',
      message: target.nodes.length === 0 ? `${nameOf(call)} needs a node` : `No node of ${target.word} has the role ${role}`,
      next: `Name one: kraft ${nameOf(call)}:NODE (kraft nodes lists them)`,
    })
  }
  return on === 'first' ? nodes.slice(0, 1) : nodes
}

async function runOnce(call: Call, line: Line): Promise<unknown> {
  const { spec } = call.task
  const run = spec.run as (context: TargetContext<unknown>) => unknown
  const takes = takenBy(run)
  if (call.session.about(call.task).custom) {
    if (skipsCode(call, line)) return undefined
    if (['target', 'asked', 'session'].some(takes)) await Promise.all(call.target.nodes.map((node) => node.prepare()))
  }
  const context = await targetContext(call, line, takes)
  let result: unknown
  try {
    result = await run(context)
  } catch (error) {
    noteFailure(call.session, call.target.nodes, error)
    throw error
  }
  // It went over the nodes by itself: those on which it applied steps are done.
  for (const { name } of call.target.nodes) if (call.session.applied.has(name)) noteNode(call.session, name, 'ok')
  return result
}

async function runOnNode(call: Call, node: Node, line: Line): Promise<unknown> {
  const { run, steps } = call.task.spec
  if (steps === undefined && skipsCode(call, line)) return undefined
  const body = (steps ?? run) as (context: NodeContext<unknown>) => unknown
  const takes = takenBy(body)
  // zx and the facts take their time, on this machine and on the way to the node.
  const shells = ['$', 'node', 'target', 'session'].some(takes)
  const [known] = await Promise.all([takes('facts') ? node.facts() : undefined, shells ? node.prepare() : undefined])
  const { project } = call.target
  // What the body does not take is not there.
  const context = {
    ...(await targetContext({ ...call, node }, line, takes)),
    ...(takes('$') && { $: shown(project === undefined ? node.$ : await instanceShell(node, project), line) }),
    node,
    ...(known && { facts: known }),
    get project() {
      if (project !== undefined) return project
      throw noProject(nameOf(call))
    },
  } as NodeContext<unknown>
  if (steps === undefined) return body(context)
  const recipe = body as (context: NodeContext<unknown>) => ReturnType<NonNullable<TaskSpec['steps']>>
  const made = checkSteps(await recipe(context), nameOf(call), call.session.about(call.task).place)
  return node.apply(nameOf(call), made, line)
}

// A dry run promises to change nothing, and only steps can keep that promise.
function skipsCode(call: Call, line: Line): boolean {
  if (!call.session.flags.dryRun) return false
  const { place } = call.session.about(call.task)
  line.skip(`${nameOf(call)} runs code${place === undefined ? '' : `: ${formatPlace(place)}`}`)
  return true
}

function nameOf({ session, task }: Call, of: Task = task): string {
  return session.about(of).name ?? of.spec.help ?? 'a task without a name'
}

async function instanceShell(node: Node, project: TaskProject): Promise<Shell> {
  const { remoteShell } = await import('../shell/remote.js')
  return remoteShell(node.connection, (command) => node.asRoot(project.enter(command)))
}

/** A shell whose commands say on a line what they print, in whole lines. */
function shown(shell: Shell, line: Line): Shell {
  const streams = new Map<string, WholeLines>()
  const log = (entry: { readonly kind: string; readonly data?: unknown; readonly id?: string }) => {
    const names = ['stdout', 'stderr'].map((name) => `${entry.id} ${name}`)
    if (entry.kind === 'end') for (const name of names) end(streams, name)
    if (entry.kind !== 'stdout' && entry.kind !== 'stderr') return
    const name = `${entry.id} ${entry.kind}`
    const lines = streams.get(name) ?? new WholeLines((text) => text !== '' && line.output(text))
    streams.set(name, lines)
    lines.push(entry.data instanceof Uint8Array ? entry.data : String(entry.data))
  }
  return shell({ log, verbose: true })
}

function end(streams: Map<string, WholeLines>, name: string): void {
  streams.get(name)?.end()
  streams.delete(name)
}

async function targetContext(call: Call, line: Line, takes: (name: string) => boolean): Promise<TargetContext<unknown>> {
  const { session, target, options, rest } = call
  const custom = session.about(call.task).custom
  return {
    target,
    asked: call.asked ?? { targets: [target], all: false },
    options,
    rest,
    line,
    session,
    local: custom && takes('local') ? { $: await (await import('../shell/local.js')).localShell() } : noShell,
    call: async (task, given = {}) => void (await runTask({ ...call, task, options: given }, line)),
  }
}

// zx takes 70 ms to load: built-in tasks do without it.
const noShell = {
  get $(): never {
    throw new TypeError('Built-in tasks have no zx')
  },
}
