import { createRegistry } from '../../engine/cli/registry.js'
import { nothingSet } from '../../engine/config/user.js'
import type { Place } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import { plainReport } from '../../engine/report/plain.js'
import { quote } from '../../engine/shell/sh.js'
import type { Target, TaskProject } from '../../engine/task/context.js'
import { runTask } from '../../engine/task/run.js'
import type { Session } from '../../engine/task/session.js'
import type { Task } from '../../engine/task/task.js'
import type { Loopback } from './loopback.js'

/** Tasks on a target of loopback nodes. */
export interface Tasks {
  readonly builtin?: Readonly<Record<string, Task>>
  /** As a kraftfile exports them. */
  readonly custom?: Readonly<Record<string, Task>>
  readonly declared?: Readonly<Record<string, Place>>
  /** Names of nodes with their roles; default: one node that has every role. */
  readonly nodes?: Readonly<Record<string, readonly string[]>>
  readonly project?: boolean
  readonly dryRun?: boolean
}

/** A task that ran: what it gave back, and the lines that a person would see. */
export interface Ran {
  readonly result: unknown
  readonly text: string
}

/** Runs a task as the command line would, on real nodes, without the command line. */
export async function runOn(
  loopback: Loopback,
  task: Task,
  tasks: Tasks = {},
  { options = {}, rest = [] }: { options?: Readonly<Record<string, unknown>>; rest?: readonly string[] } = {},
): Promise<Ran> {
  const custom = { file: 'kraftfile.ts', exports: tasks.custom ?? { task }, docs: {}, declared: tasks.declared ?? {} }
  const registry = createRegistry(tasks.builtin ?? {}, custom)
  const mode = tasks.dryRun === true ? 'check' : 'apply'
  const nodes: readonly Node[] = Object.entries(tasks.nodes ?? { one: [] }).map(([name, roles]) =>
    loopback.node({ name, mode, ...(roles.length === 0 ? {} : { roles }) }),
  )
  let text = ''
  const report = plainReport((more) => {
    text += more
  })
  const unused = () => {
    throw new TypeError('Not part of this test')
  }
  const session: Session = {
    flags: { dryRun: tasks.dryRun === true, yes: false, json: false, debug: false },
    report,
    prompt: undefined,
    folder: process.cwd(),
    root: process.cwd(),
    version: '1.0.0',
    project: undefined,
    user: nothingSet,
    inventory: unused,
    connect: unused,
    disconnect: unused,
    resolve: unused,
    task: async (name) => registry.tasks.get(name)?.task ?? unused(),
    about: (each) => registry.about(each),
    applied: new Map(),
    ended: new AbortController().signal,
    onEnd: () => undefined,
  }
  const target: Target = { word: 'stage', nodes, project: tasks.project === true ? shop : undefined }
  let result: unknown
  const run = report.list([
    {
      title: 'task',
      run: async (line) => {
        result = await runTask({ task, target, options, rest, session }, line)
      },
    },
  ])
  await run.catch((error: unknown) => {
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), { shown: text })
  })
  return { result, text }
}

const shop: TaskProject = {
  name: 'shop',
  environment: 'stage',
  folder: '/nowhere',
  settings: {},
  enter: (command) => `exec env APP=shop bash -c ${quote(command)}`,
}
