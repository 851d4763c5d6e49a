import type { Step } from '../step/step.js'
import { checkGiven, checkTask } from './check-declared.js'
import type { NodeContext, TargetContext } from './context.js'
import type { OptionSpecs, OptionValues } from './option.js'

/** Where a task runs: on the first web node, on each node, on the nodes of a role, or once for the whole target. */
export type On = 'first' | 'each' | 'once' | { readonly role: string }

/** What may stand behind the colon: nothing, nodes, or a project's instance. */
export type Needs = 'nothing' | 'nodes' | 'instance'

/** What a task can say of itself, wherever it runs. */
export interface CommonSpec<O extends OptionSpecs> {
  /** Options and positional arguments of the command line, by name. */
  readonly options?: O
  /** One line for `kraft` and `kraft help TASK`; a kraftfile's doc comment says the same. */
  readonly help?: string
  /** The heading under which `kraft` lists it. */
  readonly group?: string
  /** Commands that work when pasted, for `kraft help TASK`. */
  readonly examples?: readonly string[]
  /** What other tools call it: whoever types one of these words is told this task. */
  readonly meantBy?: readonly string[]
  /** What it changes on the node, in one short sentence for `kraft help TASK`; `nothing` where it only reads. */
  readonly changes?: string
  /** What stands behind the colon; default: an instance inside a project, nodes elsewhere. */
  readonly needs?: Needs
  /** With `needs: 'nothing'`: something may stand behind the colon all the same, and the task looks it up itself. */
  readonly optionalTarget?: boolean
  /** Runs as it is where the kraftfile can't be loaded: it is asked what is wrong there. */
  readonly withoutKraftfile?: boolean
  /** Never runs on a target that was not typed, because data could be lost. */
  readonly destructive?: boolean
  /** Takes what follows `--`. */
  readonly takesRest?: boolean
  /**
   * Whose connections it uses; left out: any that an earlier command left open, beside others. `alone`: one that nobody else uses
   * meanwhile, for tasks that take locks. `new`: its own, for tasks that move much data or change how one logs in.
   */
  readonly connection?: 'alone' | 'new'
  /** Writes to the terminal itself; no list is shown. */
  readonly raw?: boolean
  /** Gets all targets in one call, as `asked.targets`, and not one call for each. */
  readonly gathers?: boolean
  /** Tasks that must be done before: each runs once in a call of kraft on a target, however many tasks depend on it. */
  readonly dependsOn?: readonly Task[]
  /** Runs once in a call of kraft with the same options on the same target, however many tasks, hooks and bodies call it. */
  readonly onlyOnce?: boolean
}

/** A task that runs once, with all nodes of its target and no `$`. */
export interface OnceSpec<O extends OptionSpecs> extends CommonSpec<O> {
  /** Once for the whole target. */
  readonly on: 'once'
  /** The body goes over the nodes with `eachNode`, and none depends on another: `--batch` and `--retry-failed` mean single nodes. */
  readonly independent?: boolean
  /** The body goes over the nodes with `inBatches`: they belong together, and `--batch` rolls over them part after part. */
  readonly rolling?: boolean
  /** The code. What it returns with `result` goes to stdout; what it throws fails the task. */
  run(context: TargetContext<OptionValues<O>>): unknown
}

/** A task that runs on one node or on several, each by itself; with `run` (code) or `steps` (data). */
export interface NodeSpec<O extends OptionSpecs> extends CommonSpec<O> {
  /** Where; `first` (the first web node) if left out. */
  readonly on?: 'first' | 'each' | { readonly role: string }
  /** How many nodes at once; default: all. */
  readonly parallel?: number
  /** The code, run for each node. A dry run only says that there is code. */
  run?(context: NodeContext<OptionValues<O>>): unknown
  /** The steps, made for each node and run there as one script. A dry run checks them and shows what would change. */
  steps?(context: NodeContext<OptionValues<O>>): Iterable<Step> | Promise<Iterable<Step>>
}

const mark = Symbol.for('kraftwerk.task')

/** A task as kraft keeps it; made by {@link task}, `series` or `parallel`. */
export interface Task {
  readonly [mark]: true
  /** What was given to {@link task}. */
  readonly spec: TaskSpec
  /** Options that were fixed with {@link Task.with}. */
  readonly given: Readonly<Record<string, unknown>>
  /** The same task with options that need not be typed. */
  with(options: Readonly<Record<string, unknown>>): Task
}

/** What a {@link Task} does, without the types of its options. */
export type TaskSpec = CommonSpec<OptionSpecs> & {
  readonly on: On
  readonly parallel?: number
  readonly run?: (context: never) => unknown
  readonly steps?: (context: never) => Iterable<Step> | Promise<Iterable<Step>>
  /** The members of a series or of a parallel. */
  readonly members?: readonly Task[]
  readonly together?: boolean
  readonly independent?: boolean
  readonly rolling?: boolean
}

/**
 * Defines a task. Exported from a kraftfile it is a command of `kraft`.
 *
 * @throws DeclarationError for what no task can be: neither `run` nor `steps`, an unknown key, an option of no type.
 * @example export const syncdb = task({ on: 'first', run: ({ $, rest }) => $`manage.py migrate ${rest}` })
 */
export function task<const O extends OptionSpecs = Record<never, never>>(spec: OnceSpec<O>): Task
export function task<const O extends OptionSpecs = Record<never, never>>(spec: NodeSpec<O>): Task
export function task(spec: OnceSpec<OptionSpecs> | NodeSpec<OptionSpecs>): Task {
  checkTask(spec)
  return make({ ...spec, on: spec.on ?? 'first' })
}

/** Makes a {@link Task} of its parts. */
export function make(spec: TaskSpec, given: Readonly<Record<string, unknown>> = {}): Task {
  return { [mark]: true, spec, given, with: (options) => make(spec, { ...given, ...checkGiven(spec.options ?? {}, options) }) }
}

/** Known by a registered symbol, so that another copy of kraftwerk makes tasks that this one runs. */
export function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && mark in value
}
