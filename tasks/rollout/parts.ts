import type { Node } from '../../engine/node/node.js'
import type { Item, Line } from '../../engine/report/report.js'
import type { Step } from '../../engine/step/step.js'
import { onEach, type Rollout } from './rollout.js'

/** Steps of a rollout that people know by one title. With those beside them they go to a node as one script. */
export interface StepsPart {
  readonly title: string
  /** What they belong to, for the line above: `Prepare`. */
  readonly chapter: string
  steps(node: Node): readonly Step[] | Promise<readonly Step[]>
  /** It changes nothing: where it fails there is nothing to take back. */
  readonly looks?: boolean
  /** No node goes on before all of them are through. */
  readonly barrier?: boolean
  /** Done on one node after the other, each by way of this, and as a script of its own. */
  around?(node: Node, line: Line, work: () => Promise<void>): Promise<void>
}

/** A part of a rollout that is more than steps. */
export interface CodePart {
  readonly title: string
  run(node: Node, line: Line): Promise<unknown>
}

export type Part = StepsPart | CodePart

/**
 * The items of a rollout: each run of parts that need not wait for one another is one script, which costs one round trip. `begun`
 * hears of each part that begins on a node.
 */
export function inOrder(rollout: Rollout, parts: readonly Part[], begun: (title: string) => void): readonly Item[] {
  return grouped(parts, rollout.nodes.length > 1).map((group) => {
    if (!Array.isArray(group)) {
      return onEach(rollout, group.title, (node, line) => {
        begun(group.title)
        return group.run(node, line)
      })
    }
    const title = chapters(group)
    const around = group[0]?.around
    const work = async (node: Node, line: Line) => {
      const phases = await Promise.all(group.map(async (part) => ({ title: part.title, steps: await part.steps(node) })))
      const some = phases.filter(({ steps }) => steps.length > 0)
      const applied = await node.applyPhases(title, some, line, begun)
      for (const [index, each] of applied.entries()) {
        rollout.applied.push({ node: node.name, title: some[index]?.title ?? title, applied: each })
      }
    }
    if (around === undefined) return onEach(rollout, title, work)
    const one = (node: Node, line: Line) => around(node, line, () => work(node, line))
    return { title, run: (line) => line.list(rollout.nodes.map((node) => ({ title: node.name, run: (own) => one(node, own) }))) }
  })
}

// Where there is one node, nobody waits for another.
function grouped(parts: readonly Part[], several: boolean): readonly (StepsPart[] | CodePart)[] {
  const groups: (StepsPart[] | CodePart)[] = []
  let open: StepsPart[] | undefined
  for (const part of parts) {
    if (!('steps' in part)) {
      groups.push(part)
      open = undefined
      continue
    }
    if (open === undefined || part.around !== undefined) {
      open = []
      groups.push(open)
    }
    open.push(part)
    if ((several && part.barrier === true) || part.around !== undefined) open = undefined
  }
  return groups
}

function chapters(group: readonly StepsPart[]): string {
  const [first = '', ...others] = new Set(group.map(({ chapter }) => chapter))
  return [first, ...others.map((chapter) => chapter.toLowerCase())].join(', ')
}
