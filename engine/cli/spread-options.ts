import { KraftError } from '../errors/failure.js'
import { limitHelp, limitTo } from '../node/limit.js'
import type { Target } from '../task/context.js'
import { dashed, type OptionSpec, type OptionSpecs } from '../task/option.js'
import type { Batch, Spread } from '../task/spread.js'
import type { Task } from '../task/task.js'

/** The options of every task that runs on nodes: on which of them, how many at once, whether to wait for others. */
export const spreadOptions = {
  limit: { type: 'string', many: true, help: limitHelp },
  parallel: { type: 'number', help: 'so many nodes at once, at most' },
  batch: { type: 'string', help: 'one part of the nodes after the other: 2 at a time, or 25%; one that fails stops the next' },
  'on-failure': {
    type: 'string',
    choices: ['continue', 'stop'],
    help: 'what the other nodes do where one fails (default: continue, but with --batch the next batch stops)',
  },
  'retry-failed': { type: 'boolean', help: 'only the nodes on which the last run of this task on this target failed' },
  wait: {
    type: 'number',
    help: 'seconds to wait where somebody else changes the same project; without it kraft says who does, and ends',
  },
} as const satisfies OptionSpecs

/** What was typed of {@link spreadOptions}. */
export type SpreadValues = Readonly<Partial<Record<keyof typeof spreadOptions, unknown>>>

/** The name of one of {@link spreadOptions}. */
type SpreadName = keyof typeof spreadOptions

/** Those of {@link spreadOptions} that mean something to a task: help and completion show what it would refuse to nobody. */
export function spreadOptionsOf(task: Task): OptionSpecs {
  return Object.fromEntries(Object.entries<OptionSpec>(spreadOptions).filter(([key]) => !refused('', task, key as SpreadName)))
}

/**
 * How to go over the nodes.
 *
 * @throws KraftError `usage` for a number that makes no sense, and for options that mean nothing to the task.
 */
export function spreadOf(name: string, task: Task, values: SpreadValues): Spread {
  const { parallel, batch, 'on-failure': onFailure, wait } = values
  for (const [key, value] of Object.entries(values)) {
    const failure = value === false ? undefined : refused(name, task, key as SpreadName)
    if (failure !== undefined) throw failure
  }
  if (parallel !== undefined && !(Number.isInteger(parallel) && Number(parallel) > 0)) {
    throw usage(`--parallel is a whole number of nodes from 1 up, got "${parallel}"`, name)
  }
  if (wait !== undefined && !(Number(wait) >= 0 && Number(wait) <= 86_400)) {
    throw usage(`--wait is a number of seconds up to a day, got "${wait}"`, name)
  }
  return {
    ...(parallel === undefined ? {} : { parallel: Number(parallel) }),
    ...(batch === undefined ? {} : { batch: parseBatch(String(batch), name) }),
    ...(onFailure === undefined ? {} : { onFailure: onFailure === 'stop' ? 'stop' : 'continue' }),
    ...(wait === undefined ? {} : { wait: Math.ceil(Number(wait)) }),
  }
}

/** What is said of an option that means nothing to a task; undefined for one that does. */
function refused(name: string, task: Task, key: SpreadName): KraftError | undefined {
  const { needs, raw, options = {} } = task.spec
  if (needs === 'nothing') return usage(`${name} runs on no node, so --${key} means nothing to it`, name)
  if (key === 'retry-failed' && raw === true)
    return usage(`${name} passes a command's own end on and keeps none of them, so there is nothing to retry`, name)
  const aimed = Object.entries(options).find(([, { target }]) => target === true)?.[0]
  if (aimed !== undefined && (key === 'limit' || key === 'retry-failed')) {
    const to = dashed(aimed).toUpperCase()
    return usage(`${name} works on what ${to} names, so --${key} means nothing to it; ${to} can be one node`, name)
  }
  const whole = key === 'batch' ? undividable(task) : undefined
  if (whole === undefined) return undefined
  return new KraftError({
    kind: 'usage',
    message: `${name} takes no --batch: ${whole === task ? 'it' : 'a task in it'} works on all nodes of its target together`,
    next: 'For a part of the nodes name them: --limit web1,web2',
  })
}

function parseBatch(text: string, name: string): Batch {
  const [, digits = '', sign = ''] = /^(\d+)(%?)$/.exec(text) ?? []
  const size = Number(digits)
  if (size >= 1 && (sign === '' || size <= 100)) return { size, percent: sign === '%' }
  throw usage(`--batch is a number of nodes or a percentage, as in 2 or 25%; got "${text}"`, name)
}

/** The task, or the member of a series, that has one body for all nodes. */
function undividable(task: Task): Task | undefined {
  const { on, members, independent, rolling } = task.spec
  if (members !== undefined) return members.map(undividable).find((member) => member !== undefined)
  return on === 'once' && independent !== true && rolling !== true ? task : undefined
}

/**
 * The targets with only the nodes that `--limit` names; a target that has none of them is left out.
 *
 * @throws KraftError `usage` for a name or a pattern that fits no node.
 */
export function limitTargets(targets: readonly Target[], limit: readonly string[]): readonly Target[] {
  if (limit.length === 0) return targets
  const names = targets.flatMap(({ nodes }) => nodes.map(({ name }) => name))
  const fits = limitTo(limit, names, `of ${targets.map(({ word }) => word).join(', ')}`)
  return onlyNodes(targets, ({ name }) => fits(name))
}

/** The targets with the nodes that pass; a target with none is left out. */
export function onlyNodes(
  targets: readonly Target[],
  pass: (node: Target['nodes'][number], target: Target) => boolean,
): readonly Target[] {
  return targets
    .map((target) => ({ ...target, nodes: target.nodes.filter((node) => pass(node, target)) }))
    .filter(({ nodes }) => nodes.length > 0)
}

function usage(message: string, name: string): KraftError {
  return new KraftError({ kind: 'usage', message, next: `See: kraft help ${name}` })
}
