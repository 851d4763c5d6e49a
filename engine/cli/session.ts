import { createNode, type Node } from '../node/node.js'
import type { Report } from '../report/report.js'
import { withAhead } from '../ssh/ahead.js'
import { AskedOnce, takeVariable } from '../ssh/asked-once.js'
import { unreadConfiguration } from '../ssh/installed.js'
import type { Question } from '../ssh/question.js'
import { withSudo } from '../ssh/sudo.js'
import { disconnect as endKept } from '../ssh/warm/disconnect.js'
import { secondsToKeep } from '../ssh/warm/keep.js'
import { dropSpare } from '../ssh/warm/start.js'
import { connectWarm } from '../ssh/warm/warm-connection.js'
import { printScript } from '../step/print-script.js'
import type { Applied } from '../step/show.js'
import type { About, Flags, Prompt, Session } from '../task/session.js'
import type { Spread } from '../task/spread.js'
import type { TaskSpec } from '../task/task.js'
import type { App, Workspace } from './app.js'
import { type Loaded, loadRegistry } from './load.js'
import { findTask } from './registry.js'

/** What a session is made of. */
export interface SessionParts {
  readonly app: App
  readonly workspace: Workspace
  readonly loaded: Loaded
  readonly flags: Flags
  readonly spread?: Spread
  /** A password may be typed where a node takes no key. */
  readonly askPassword: boolean
  readonly report: Report
  readonly prompt: Prompt | undefined
  readonly ended: AbortSignal
  readonly folder: string
  readonly task: string
  /** Whose connections the task uses (engine/task/task.ts). */
  readonly connection: TaskSpec['connection']
}

/** The {@link Session} of one call. */
export interface OpenSession {
  readonly session: Session
  /** Whether any node was connected. */
  reached(): boolean
  /** A node that was connected, or was to be. */
  node(name: string): Node | undefined
  end(): Promise<void>
}

/** Makes the {@link Session} of one call. */
export function createSession(parts: SessionParts): OpenSession {
  const { flags, workspace, prompt } = parts
  const { registry } = parts.loaded
  const nodes = new Map<string, Node>()
  const applied = new Map<string, Applied[]>()
  // Tasks that other tasks call; without a kraftfile the registry holds only the one that was typed.
  const called = new Map<TaskSpec, About>()
  const endings: (() => Promise<void>)[] = []
  const sudoPassword = new AskedOnce({
    question: 'Password for sudo on your nodes',
    ask: prompt && answer(prompt),
    given: takeVariable('KRAFT_SUDO_PASSWORD'),
  })

  const given = takeVariable('KRAFT_PASSWORD')
  const password =
    parts.askPassword || given !== undefined
      ? new AskedOnce({
          question: 'Password to log in on your nodes',
          ask: parts.askPassword && prompt ? answer(prompt) : undefined,
          given,
        })
      : undefined
  const { version } = parts.app
  // A typed password is not for a process that remains.
  let seconds: number | undefined
  const keep = () => {
    seconds ??= parts.connection === 'new' || password !== undefined ? 0 : secondsToKeep(workspace.user().keep_connections)
    if (seconds === 0) dropSpare()
    return seconds
  }
  // Nodes whose next login must be a new one.
  const left = new Set<string>()

  const session: Session = {
    ...parts,
    root: parts.app.root,
    version: parts.app.version,
    project: workspace.project,
    get user() {
      return workspace.user()
    },
    applied,
    inventory: () => workspace.inventory(),
    connect(record, roles) {
      const key = `${record.name} ${roles}`
      const found = nodes.get(key)
      if (found !== undefined) return found
      const unread = nodes.size === 0 ? unreadConfiguration() : undefined
      if (unread !== undefined) parts.report.note(`warning: ${unread}`)
      const shared = [...nodes.values()].find(({ name }) => name === record.name)
      const ask = prompt === undefined ? {} : { ask: answer(prompt) }
      const node = createNode(
        record,
        roles,
        shared?.connection ??
          withAhead(
            withSudo(
              connectWarm({
                record,
                note: parts.report.note,
                keep: left.has(record.name) ? 0 : keep(),
                alone: parts.connection === 'alone',
                version,
                password,
                ...ask,
              }),
              sudoPassword,
            ),
          ),
        flags.dryRun ? 'check' : 'apply',
        (name, each) => {
          applied.set(name, [...(applied.get(name) ?? []), each])
        },
        (script) => {
          if (flags.debug && flags.dryRun && script.steps.length > 0) parts.report.note(printScript(record.name, script))
        },
      )
      nodes.set(key, node)
      return node
    },
    async disconnect(name) {
      const gone = [...nodes].filter(([, node]) => node.name === name)
      for (const [key] of gone) nodes.delete(key)
      left.add(name)
      await gone[0]?.[1].connection.close()
      await endKept((self) => self.node === name)
    },
    resolve: (word, needs, destructive) =>
      workspace.resolve({ word, needs, destructive, task: parts.task, connect: session.connect }),
    async task(name) {
      const known = registry.tasks.has(name) ? registry : (await loadRegistry(parts.app, parts.folder, name)).registry
      const entry = findTask(known, name)
      called.set(entry.task.spec, entry)
      return entry.task
    },
    about: (task) => called.get(task.spec) ?? registry.about(task),
    onEnd: (action) => void endings.unshift(action),
  }
  const end = async () => {
    const failed: unknown[] = []
    // One that fails keeps nobody from the others: an open connection would keep this process from ending.
    for (const action of endings.splice(0)) {
      try {
        await action()
      } catch (error) {
        failed.push(error)
      }
    }
    await Promise.all([...new Set([...nodes.values()].map((node) => node.connection))].map((connection) => connection.close()))
    if (failed.length > 0) throw failed[0]
  }
  return { session, reached: () => nodes.size > 0, node: (name) => [...nodes.values()].find((each) => each.name === name), end }
}

function answer(prompt: Prompt) {
  // A node can ask in the middle of the work.
  const stopped = 'what was done before stays done'
  return (question: Question): Promise<string | boolean> =>
    question.kind === 'compare' ? prompt.compare(question.message, stopped) : prompt.secret(question.message, stopped)
}
