import type { UserSettings } from '../config/user.js'
import type { Inventory } from '../node/inventory.js'
import type { Node } from '../node/node.js'
import type { NodeRecord } from '../node/record.js'
import type { Target } from '../task/context.js'
import type { Session } from '../task/session.js'
import type { Needs } from '../task/task.js'

/** What kraft.ts plugs into the engine: everything that knows of Python projects and of built-in tasks. */
export interface App {
  /** The folder of the package, with package.json and templates/. */
  readonly root: string
  readonly version: string
  /** Built-in tasks by export name. */
  tasks(): Promise<Readonly<Record<string, unknown>>>
  /** One built-in task by the name that people call, without loading the others; undefined where there is none. */
  task(name: string): Promise<unknown>
  /** Makes known what a kraftfile exports beside tasks: services and providers. */
  extend?(exports: Readonly<Record<string, unknown>>, file: string): Promise<void>
  /** What to do about a node that does not answer, by what its provider knows of it. Never throws. */
  whereItIs?(session: Session, node: Node): Promise<string | undefined>
  /** Reads the settings for a folder; cheap until asked. */
  open(folder: string): Promise<Workspace>
}

/** The settings that hold in a folder. */
export interface Workspace {
  /** The nearest kraftwerk.yaml's folder; undefined outside of a project. */
  readonly project: { readonly folder: string } | undefined
  /** ~/.kraftwerk.yaml. Throws its first mistake as a `setting`. */
  user(): UserSettings
  /** What there is to say of ~/.kraftwerk.yaml, as far as it can be read. */
  readonly warnings: readonly string[]
  inventory(): Promise<Inventory>
  /** What can stand behind the colon here, for completion. */
  words(): Promise<readonly TargetWord[]>
  /** Finds what stands behind the colon: one target, several for `all`. Throws `usage` with the nearest word. */
  resolve(query: Query): Promise<readonly Target[]>
}

/** A word that can stand behind the colon. */
export interface TargetWord {
  readonly word: string
  /** One line that tells what it is. */
  readonly help: string
  readonly kind: 'environment' | 'node'
}

/** A question to {@link Workspace.resolve}. */
export interface Query {
  readonly word: string | undefined
  readonly needs: Needs | undefined
  readonly destructive: boolean
  readonly task: string
  connect(record: NodeRecord, roles: readonly string[] | 'every'): Node
}
