import type { UserSettings } from '../config/user.js'
import type { Place } from '../errors/failure.js'
import type { Inventory } from '../node/inventory.js'
import type { Node } from '../node/node.js'
import type { NodeRecord } from '../node/record.js'
import type { Report } from '../report/report.js'
import type { Applied } from '../step/show.js'
import type { Target } from './context.js'
import type { Spread } from './spread.js'
import type { Needs, Task } from './task.js'

/** Options that every task has. */
export interface Flags {
  readonly dryRun: boolean
  readonly yes: boolean
  readonly json: boolean
  readonly debug: boolean
}

/** Asks the person at the terminal. */
export interface Prompt {
  /** Yes or no; `--yes` says yes. */
  confirm(message: string): Promise<boolean>
  /** The same for what only a person can know who compares it with something: `--yes` has compared nothing. */
  compare(message: string): Promise<boolean>
  text(message: string): Promise<string>
  secret(message: string): Promise<string>
}

/** What kraft knows of a task beside what it does. */
export interface About {
  /** By which people call it; undefined for one that is not exported. */
  readonly name: string | undefined
  /** It is code of a kraftfile, which gets zx. */
  readonly custom: boolean
  /** Where it is declared in a kraftfile. */
  readonly place?: Place
}

/** One call of kraft: what its tasks share. */
export interface Session {
  readonly flags: Flags
  readonly report: Report
  /** What the command line says of how to go over several nodes. */
  readonly spread?: Spread
  /** Undefined without a terminal: then nothing is asked. */
  readonly prompt: Prompt | undefined
  /** Where kraft was called. */
  readonly folder: string
  /** The root of the kraftwerk package, with templates/. */
  readonly root: string
  /** The version of kraft. */
  readonly version: string
  /** The folder of the project that kraft was called in, if there is one. */
  readonly project: { readonly folder: string } | undefined
  /** ~/.kraftwerk.yaml. */
  readonly user: UserSettings
  /** The nodes that are remembered. */
  inventory(): Promise<Inventory>
  /** The node of a record, connected when first used, the same for all tasks. */
  connect(record: NodeRecord, roles: readonly string[] | 'every'): Node
  /** Closes the connection of a node and forgets it, so that the next use logs in anew. */
  disconnect(name: string): Promise<void>
  /** Finds what stands behind the colon: one target, several for `all`. */
  resolve(word: string | undefined, needs: Needs | undefined, destructive: boolean): Promise<readonly Target[]>
  /** A built-in task, or what the kraftfile put in its place. */
  task(name: string): Promise<Task>
  /** What is known of a task: its name if it can be called, and where a kraftfile declares it. */
  about(task: Task): About
  /** What steps did on each node so far. */
  readonly applied: ReadonlyMap<string, readonly Applied[]>
  /** Aborted at Ctrl-C, and when kraft ends: nothing new is begun. */
  readonly ended: AbortSignal
  /** Runs when kraft ends, also by Ctrl-C: locks are given back, connections closed. */
  onEnd(action: () => Promise<void>): void
}
