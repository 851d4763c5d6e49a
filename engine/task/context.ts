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
  /** All of its nodes, in the order of kraftwerk.yaml, without those that `--limit` leaves out. */
  readonly nodes: readonly Node[]
  /** Undefined where a node was named outside of a project. */
  readonly project: TaskProject | undefined
}

/** All that was asked for at once. */
export interface Asked {
  /** One for each word behind the colon. */
  readonly targets: readonly Target[]
  /** `all` stood behind the colon. */
  readonly all: boolean
}

/** What every task gets. */
export interface TargetContext<Options> {
  /** What the task was called on. */
  readonly target: Target
  /** More than `target` only for a task that gathers its targets. */
  readonly asked: Asked
  /** What was declared under `options`, with the values that were given. */
  readonly options: Options
  /** Everything after `--`, untouched. */
  readonly rest: readonly string[]
  /** zx on this machine. */
  readonly local: { readonly $: Shell }
  /** The line of the list that stands for this task. */
  readonly line: Line
  /** This call of kraft: its flags, folders and nodes. */
  readonly session: Session
  /** Runs another task on the same target. */
  call(task: Task, options?: Readonly<Record<string, unknown>>): Promise<void>
}

/** What a task gets that runs on one node at a time. */
export interface NodeContext<Options> extends TargetContext<Options> {
  /** zx's `$` on the node, as the instance's user in its environment; without a project it is the login. */
  readonly $: Shell
  /** The node that the body runs on. */
  readonly node: Node
  /** What is known of that node. */
  readonly facts: Facts
  /** The project, in the environment of the target. */
  readonly project: TaskProject
}
