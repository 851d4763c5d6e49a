import { KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'
import { apply } from './apply.js'
import { compile } from './compile.js'
import type { Step } from './step.js'

/** A step that is not true on a node. */
export interface Unmet {
  readonly title: string
  /** What it says would change: a diff, or nothing. */
  readonly diff: readonly string[]
}

/**
 * Asks a node which steps are not true there, and changes nothing, whatever the mode of the call is. Steps without a check are
 * passed over: they say nothing of how the node is.
 *
 * @example await unmetSteps(node.connection, 'Site', site(place, given))
 */
export async function unmetSteps(connection: Connection, title: string, steps: readonly Step[]): Promise<readonly Unmet[]> {
  const asked = steps.filter(({ check }) => check !== undefined)
  const found = asked.map((step) => ({ title: step.title, diff: [] as string[], met: true }))
  let current: (typeof found)[number] | undefined
  for await (const event of apply(connection, compile(title, asked), 'check')) {
    if (event.type === 'begin') current = found[event.step]
    else if (event.type === 'output') current?.diff.push(event.text)
    else if (event.type === 'end' && current !== undefined) current.met = event.status === 'ok' || event.status === 'skipped'
    else if (event.type === 'finish' && !event.ok) {
      throw new KraftError({ kind: 'task', node: connection.node, message: `${title} could not be compared` })
    }
  }
  return found.filter(({ met }) => !met).map(({ met: _, ...unmet }) => unmet)
}
