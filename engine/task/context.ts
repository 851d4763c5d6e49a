import type { Shell } from 'zx'
import type { Facts } from '../node/facts.js'
import type { Node } from '../node/node.js'
import type { Line } from '../report/report.js'
import type { Session } from './session.js'
import type { Task } from './task.js'

/** What a task needs to know of the project that its target belongs to. */
export interface TaskProject {
  /** The instance's name: what owns user, database and `/web/NAME` on the node. */
  readonly name: string
  /** `stage`, `live`…; undefined for a project without overrides. */
  readonly environment: string | undefined
  /** The folder with kraftwerk.yaml. */
  readonly folder: string
  /** kraftwerk.yaml, validated, with the overrides of the environment. */
  readonly settings: Readonly<Record<string, unknown>>
  /** A command line for root on the node that runs `command` (bash) as the instance's user, in its environment and release. */
  enter(command: string): string
}

/** What stands behind the colon, found: nodes, and the project on them if there is one. */
export interface Target {
  /** As it was typed. */
  readonly word: string
  readonly nodes: readonly Node[]
  readonly project: TaskProject | undefined
}

/** All that was asked for at once. */
export interface Asked {
  readonly targets: readonly Target[]
  /** `all` stood behind the colon. */
  readonly all: boolean
}

/** What every task gets. */
export interface TargetContext<Options> {
  readonly target: Target
  /** More than `target` only for a task that gathers its targets. */
  readonly asked: Asked
  readonly options: Options
  /** Everything after `--`, untouched. */
  readonly rest: readonly string[]
  /** zx on this machine. */
  readonly local: { readonly $: Shell }
  /** The line of the list that stands for this task. */
  readonly line: Line
  readonly session: Session
  /** Runs another task on the same target. */
  call(task: Task, options?: Readonly<Record<string, unknown>>): Promise<void>
}

/** What a task gets that runs on one node at a time. */
export interface NodeContext<Options> extends TargetContext<Options> {
  /** zx's `$` on the node, as the instance's user in its environment; without a project it is the login. */
  readonly $: Shell
  readonly node: Node
  readonly facts: Facts
  readonly project: TaskProject
}
