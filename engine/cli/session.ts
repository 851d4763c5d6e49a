import { KraftError } from '../errors/failure.js'
import { createNode, type Node } from '../node/node.js'
import type { Report } from '../report/report.js'
import { connect } from '../ssh/connect.js'
import type { Question } from '../ssh/question.js'
import type { Applied } from '../step/show.js'
import type { Flags, Prompt, Session } from '../task/session.js'
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
}

/** Makes the {@link Session} of one call, and the function that ends it. */
export function createSession(parts: SessionParts): { session: Session; end: () => Promise<void> } {
  const { flags, workspace, prompt } = parts
  const { registry } = parts.loaded
  const nodes = new Map<string, Node>()
  const applied = new Map<string, Applied[]>()
  const endings: (() => Promise<void>)[] = []
  const custom = new Set([...registry.values()].filter((entry) => entry.custom).map((entry) => entry.task.spec))
  const builtin = new Set([...registry.values()].filter((entry) => !entry.custom).map((entry) => entry.task.spec))

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
        shared?.connection ?? connect({ record, note: parts.report.note, ...ask }),
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
      await gone[0]?.[1].connection.close()
    },
    async resolve(word, needs, destructive) {
      const { inventory } = session
      if (word === 'all') {
        const names = (await inventory()).all().map(({ name }) => name)
        if (names.length > 0) return Promise.all(names.map(one))
        throw new KraftError({ kind: 'usage', message: 'There is no node yet', next: 'Make one: kraft provision one' })
      }
      return [await one(word)]
      function one(each: string | undefined) {
        return workspace.resolve({ word: each, needs, destructive, task: parts.task, connect: session.connect })
      }
    },
    async task(name) {
      const known = registry.has(name) ? registry : (await loadRegistry(parts.app, parts.folder, name)).registry
      return findTask(known, name).task
    },
    isCustom: (task) => parts.loaded.custom && (custom.has(task.spec) || !builtin.has(task.spec)),
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
