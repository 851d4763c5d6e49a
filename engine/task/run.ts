import { KraftError } from '../errors/failure.js'
import { hasRole, type Node } from '../node/node.js'
import type { Line } from '../report/report.js'
import type { NodeContext, Target, TargetContext, TaskProject } from './context.js'
import { hooksOf } from './hooks.js'
import type { Session } from './session.js'
import type { Task } from './task.js'

/** One call of a task. */
export interface Call {
  readonly task: Task
  readonly name: string
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
  readonly rest: readonly string[]
  readonly session: Session
}

/** Runs a task with its hooks on a target and returns what its body returned. */
export async function runTask(call: Call, line: Line): Promise<unknown> {
  const { before, after } = hooksOf(call.task)
  for (const hook of before) await runTask({ ...call, task: hook, options: hook.given }, line)
  const result = await runBody(call, line)
  for (const hook of after) await runTask({ ...call, task: hook, options: hook.given }, line)
  return result
}

async function runBody(call: Call, line: Line): Promise<unknown> {
  const { spec } = call.task
  const options = { ...call.options, ...call.task.given }
  if (spec.members !== undefined) {
    let last: unknown
    await line.list(
      spec.members.map((member) => ({
        title: member.spec.help ?? call.name,
        run: async (own) => {
          last = await runTask({ ...call, task: member, options: { ...defaults(member), ...options } }, own)
        },
      })),
      { concurrent: spec.together === true },
    )
    return last
  }
  if (spec.on === 'once') return runOnce(call, options, line)
  const nodes = choose(call)
  if (nodes.length === 1 && nodes[0] !== undefined) return runOnNode(call, nodes[0], options, line)
  await line.list(
    nodes.map((node) => ({
      title: node.name,
      continue: true,
      run: (own) => runOnNode(call, node, options, own).then(() => undefined),
    })),
    { concurrent: spec.parallel ?? true },
  )
  return undefined
}

/** The values of options that were not given. */
export function defaults(task: Task): Record<string, unknown> {
  const entries = Object.entries(task.spec.options ?? {}).map(([name, { type, default: value, many }]) => [
    name,
    value ?? (many === true ? [] : type === 'boolean' ? false : undefined),
  ])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function choose({ task, name, target }: Call): readonly Node[] {
  const { on } = task.spec
  const role = typeof on === 'object' ? on.role : 'web'
  const nodes = on === 'each' ? target.nodes : target.nodes.filter((node) => hasRole(node, role))
  if (nodes.length === 0) {
    throw new KraftError({
      kind: 'usage',
      message: target.nodes.length === 0 ? `${name} needs a node` : `No node of ${target.word} has the role ${role}`,
      next: `Name one: kraft ${name}:NODE (kraft nodes lists them)`,
    })
  }
  return on === 'first' ? nodes.slice(0, 1) : nodes
}

async function runOnce(call: Call, options: Readonly<Record<string, unknown>>, line: Line): Promise<unknown> {
  const custom = call.session.isCustom(call.task)
  if (custom) await Promise.all(call.target.nodes.map((node) => node.prepare()))
  const context = await targetContext(call, options, line)
  if (custom && skipsCode(call, line)) return undefined
  return (call.task.spec.run as (context: TargetContext<unknown>) => unknown)(context)
}

async function runOnNode(call: Call, node: Node, options: Readonly<Record<string, unknown>>, line: Line): Promise<unknown> {
  const { spec } = call.task
  const shared = await targetContext(call, options, line)
  const { project } = call.target
  await node.prepare()
  const facts = await node.facts()
  const $ = project === undefined ? node.$ : await instanceShell(node, project, line)
  const context: NodeContext<unknown> = {
    ...shared,
    $,
    node,
    facts,
    get project() {
      if (project !== undefined) return project
      throw new KraftError({
        kind: 'usage',
        message: `${call.name} needs a project, and there is no kraftwerk.yaml here`,
        next: 'Go to the folder of the project, or make one: kraft init NAME',
      })
    },
    call: (task, given) => {
      if (task.spec.on === 'once') {
        throw new KraftError({
          kind: 'usage',
          message: `${call.name} runs on one node at a time and cannot call a task of the whole target`,
          next: `Put both side by side with series(), or give ${call.name} on: 'once'`,
        })
      }
      return runOnNode({ ...call, task }, node, { ...defaults(task), ...task.given, ...given }, line).then(() => undefined)
    },
  }
  if (spec.steps !== undefined) {
    const steps = await (spec.steps as (context: NodeContext<unknown>) => Iterable<never> | Promise<Iterable<never>>)(context)
    return node.apply(call.name, steps, line)
  }
  if (skipsCode(call, line)) return undefined
  return (spec.run as (context: NodeContext<unknown>) => unknown)(context)
}

// A dry run promises to change nothing, and only steps can keep that promise.
function skipsCode({ session, name }: Call, line: Line): boolean {
  if (!session.flags.dryRun) return false
  line.skip(`${name} runs code`)
  return true
}

async function instanceShell(node: Node, project: TaskProject, line: Line) {
  const { remoteShell } = await import('../shell/remote.js')
  const shell = await remoteShell(node.connection, (command) => node.asRoot(project.enter(command)))
  return shell({ log: (entry) => showOutput(entry, line), verbose: true })
}

function showOutput(entry: { readonly kind: string; readonly data?: unknown }, line: Line): void {
  if (entry.kind !== 'stdout' && entry.kind !== 'stderr') return
  for (const text of String(entry.data).split('\n')) if (text !== '') line.output(text)
}

async function targetContext(
  call: Call,
  options: Readonly<Record<string, unknown>>,
  line: Line,
): Promise<TargetContext<unknown>> {
  const { session, target, rest } = call
  return {
    target,
    options,
    rest,
    line,
    session,
    local: session.isCustom(call.task) ? { $: await (await import('../shell/local.js')).localShell() } : noShell,
    call: (task, given) => runTask({ ...call, task, options: { ...defaults(task), ...given } }, line).then(() => undefined),
  }
}

// zx takes 70 ms to load: built-in tasks do without it.
const noShell = {
  get $(): never {
    throw new TypeError('Built-in tasks have no zx')
  },
}
