import { createNode, type Node } from '../node/node.js'
import type { Report } from '../report/report.js'
import type { Question } from '../ssh/question.js'
import { secondsToKeep } from '../ssh/warm/keep.js'
import { connectWarm } from '../ssh/warm/warm-connection.js'
import type { Applied } from '../step/show.js'
import type { About, Flags, Prompt, Session } from '../task/session.js'
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
  readonly report: Report
  readonly prompt: Prompt | undefined
  readonly folder: string
  readonly task: string
  /** The task opens connections of its own. */
  readonly ownConnection: boolean
}

/** Makes the {@link Session} of one call, and the function that ends it. */
export function createSession(parts: SessionParts): { session: Session; end: () => Promise<void> } {
  const { flags, workspace, prompt } = parts
  const { registry } = parts.loaded
  const nodes = new Map<string, Node>()
  const applied = new Map<string, Applied[]>()
  // Tasks that other tasks call; without a kraftfile the registry holds only the one that was typed.
  const called = new Map<TaskSpec, About>()
  const endings: (() => Promise<void>)[] = []
  const { version } = parts.app
  const keep = parts.ownConnection ? 0 : secondsToKeep(workspace.user.keep_connections)
  // Nodes whose next login must be a new one.
  const left = new Set<string>()

  const session: Session = {
    ...parts,
    root: parts.app.root,
    version: parts.app.version,
    project: workspace.project,
    user: workspace.user,
    applied,
    inventory: () => workspace.inventory(),
    connect(record, roles) {
      const key = `${record.name} ${roles}`
      const found = nodes.get(key)
      if (found !== undefined) return found
      const shared = [...nodes.values()].find(({ name }) => name === record.name)
      const ask = prompt === undefined ? {} : { ask: answer(prompt) }
      const node = createNode(
        record,
        roles,
        shared?.connection ??
          connectWarm({ record, note: parts.report.note, keep: left.has(record.name) ? 0 : keep, version, ...ask }),
        flags.dryRun ? 'check' : 'apply',
        (name, each) => {
          applied.set(name, [...(applied.get(name) ?? []), each])
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
      const { disconnect } = await import('../ssh/warm/disconnect.js')
      await disconnect((self) => self.node === name)
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
    for (const action of endings.splice(0)) await action()
    await Promise.all([...new Set([...nodes.values()].map((node) => node.connection))].map((connection) => connection.close()))
  }
  return { session, end }
}

function answer(prompt: Prompt) {
  return (question: Question): Promise<string | boolean> =>
    question.kind === 'confirm' ? prompt.confirm(question.message) : prompt.secret(question.message)
}
