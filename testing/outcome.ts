import * as v from 'valibot'
import { KraftError } from '../engine/errors/failure.js'
import type { Connection } from '../engine/ssh/connection.js'
import { apply } from '../engine/step/apply.js'
import type { Script } from '../engine/step/compile.js'

const status = v.picklist(['ok', 'changed', 'failed', 'skipped', 'changes', 'maybe'])

/** The form of an {@link Outcome} in a file. */
export const outcomeSchema = v.object({
  steps: v.array(v.object({ title: v.string(), status, detail: v.string(), output: v.array(v.string()) })),
  handlers: v.array(v.object({ name: v.string(), code: v.number() })),
})

/**
 * How steps ended: each with its title, its status (in a dry run `changes` and `maybe` stand for what a run would change), why it
 * was skipped or the code that it failed with, and the lines that it printed (in a dry run its diff). Steps behind one that failed
 * are missing. Handlers in the order in which they ran.
 */
export type Outcome = v.InferOutput<typeof outcomeSchema>

/**
 * The titles of the steps that changed something or, in a dry run, would.
 *
 * @example expect(changed(await node.apply(apt('nginx')))).toEqual(['Package nginx'])
 */
export function changed({ steps }: Outcome): readonly string[] {
  return steps.filter((step) => ['changed', 'changes', 'maybe'].includes(step.status)).map(({ title }) => title)
}

/** Runs a script and collects its events. Throws what {@link apply} throws; a step that fails is an outcome. */
export async function collect(connection: Connection, script: Script, mode: 'apply' | 'check'): Promise<Outcome> {
  const outcome: Outcome = { steps: [], handlers: [] }
  let output: string[] = []
  for await (const event of apply(connection, script, mode)) {
    if (event.type === 'begin' || event.type === 'handler') output = []
    else if (event.type === 'output') output.push(event.text)
    else if (event.type === 'handler-end') {
      outcome.handlers.push({ name: event.name, code: event.code })
      if (event.code !== 0) outcome.steps.push({ title: event.name, status: 'failed', detail: String(event.code), output })
    } else if (event.type === 'end') {
      const title = script.steps[event.step]?.title ?? ''
      outcome.steps.push({ title, status: event.status, detail: event.detail, output })
    }
  }
  return outcome
}

/** The outcome, unless a step or handler failed: then the error that a person would see. */
export function unlessFailed(node: string, outcome: Outcome): Outcome {
  const failed = outcome.steps.find((step) => step.status === 'failed')
  if (failed === undefined) return outcome
  const { title, detail, output } = failed
  throw new KraftError({ kind: 'step', node, step: title, code: Number(detail), output: output.slice(-20).join('\n') })
}
