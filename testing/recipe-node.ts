import { KraftError } from '../engine/errors/failure.js'
import type { Facts } from '../engine/node/facts.js'
import { compile, type Script } from '../engine/step/compile.js'
import type { Step } from '../engine/step/step.js'
import { changed, type Outcome, unlessFailed } from './outcome.js'

/** Where a recipe is tried: a real node, or the recording of one. */
export interface RecipeNode {
  /** What errors call it. */
  readonly name: string
  /** What kraft knows of it, as recipes are given it in a task. */
  facts(): Promise<Facts>
  /** Runs steps as one script. Throws the KraftError of the first step that fails. */
  apply(steps: Iterable<Step>): Promise<Outcome>
  /** A dry run of steps: changes nothing. */
  check(steps: Iterable<Step>): Promise<Outcome>
  /** Runs POSIX sh text as root under `sh -e` and returns what it prints; throws where it fails. */
  run(script: string): Promise<string>
  /** Ends with the node: a real one is removed. */
  remove(): Promise<void>
}

/** What a {@link RecipeNode} is made of: the same before failures are thrown. */
export interface Attempts extends Pick<RecipeNode, 'name' | 'facts' | 'run' | 'remove'> {
  attempt(script: Script, mode: 'apply' | 'check'): Promise<Outcome>
}

/** Makes a {@link RecipeNode} that compiles steps to one script, as a task does. */
export function recipeNode(attempts: Attempts): RecipeNode {
  const { name, attempt } = attempts
  const on = async (steps: Iterable<Step>, mode: 'apply' | 'check') =>
    unlessFailed(name, await attempt(compile('Recipe', [...steps]), mode))
  return { ...attempts, apply: (steps) => on(steps, 'apply'), check: (steps) => on(steps, 'check') }
}

/**
 * Applies steps, and throws unless that makes them true for good: a dry run after it must be empty, and a second run must change
 * nothing. Returns how the first run ended.
 *
 * @throws KraftError `task` that names the steps that are not, with their diff.
 * @example await expectIdempotent(node, apt('nginx'))
 */
export async function expectIdempotent(node: RecipeNode, steps: Iterable<Step>): Promise<Outcome> {
  const list = [...steps]
  const first = await node.apply(list)
  refuseChanges(node, await node.check(list), 'a dry run after it still sees something to do')
  refuseChanges(node, await node.apply(list), 'a second run changed something again')
  return first
}

function refuseChanges({ name }: RecipeNode, outcome: Outcome, message: string): void {
  const titles = changed(outcome)
  if (titles.length === 0) return
  const output = outcome.steps.filter(({ title }) => titles.includes(title)).flatMap((step) => [`${step.title}:`, ...step.output])
  throw new KraftError({
    kind: 'task',
    node: name,
    message: `${message}: ${titles.join(', ')}`,
    output: output.join('\n'),
    next: 'The check of a step has to hold once the step is applied; a step without a check is done each time',
  })
}
