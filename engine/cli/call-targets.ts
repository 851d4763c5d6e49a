import type { Line, Report } from '../report/report.js'
import type { Asked, Target } from '../task/context.js'
import { noteNode, partialOf } from '../task/node-ends.js'
import { runTask } from '../task/run.js'
import type { Session } from '../task/session.js'
import { type Spread, spreadOut } from '../task/spread.js'
import { type Called, chooseTargets, type EndedTarget } from './choose-targets.js'
import type { Entry } from './registry.js'
import type { Finished } from './show-results.js'
import type { SpreadValues } from './spread-options.js'

/** A task that was called, with all that was typed. */
export interface TaskCall {
  readonly entry: Entry
  readonly called: Called
  /** What stood behind the colon. */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly rest: readonly string[]
  readonly typed: SpreadValues
  readonly spread: Spread
  readonly session: Session
}

/** What came of a call, target by target; it grows while the task runs, so that a failure leaves what was done. */
export interface Outcome {
  readonly finished: Finished[]
  readonly ended: EndedTarget[]
}

/** Finds what stands behind the colon and runs the task on each of it. Returns how many targets there were. */
export async function callTargets(call: TaskCall, outcome: Outcome): Promise<number> {
  const { session, called, words } = call
  const { spec } = call.entry.task
  const { report } = session
  const asked = words.length === 0 ? [undefined] : words
  const all = (await Promise.all(asked.map((word) => session.resolve(word, spec.needs, spec.destructive === true)))).flat()
  const found = all.every(({ nodes }) => nodes.length === 0) ? all : await chooseTargets(all, call.typed, called)
  if (found.length === 0) report.note(`${called.task} failed nowhere when it ran last: there is nothing to retry`)
  const [first] = found
  if (spec.gathers === true && first !== undefined) {
    await callTarget(call, outcome, first, silentLine(report), { targets: found, all: words.includes('all') })
    return 1
  }
  if (spec.raw === true) for (const target of found) await callTarget(call, outcome, target, silentLine(report))
  else await listTargets(call, outcome, found)
  return found.length
}

async function callTarget(
  call: TaskCall,
  { finished, ended }: Outcome,
  target: Target,
  line: Line,
  asked?: Asked,
): Promise<void> {
  const { entry, options, rest, session } = call
  const place = ended.push({ target, done: false }) - 1
  try {
    const given = asked === undefined ? {} : { asked }
    const result = await runTask({ task: entry.task, target, options, rest, session, ...given }, line)
    finished.push({ target: target.word, result })
    ended[place] = { target, done: true }
  } catch (error) {
    const result = partialOf(session, target.word)
    if (result !== undefined) finished.push({ target: target.word, result })
    throw error
  }
}

async function listTargets(call: TaskCall, outcome: Outcome, targets: readonly Target[]): Promise<void> {
  const { session, spread } = call
  const { spec } = call.entry.task
  const items = targets.map((target) => ({
    title: target.word === '' ? call.called.task : `${call.called.task}:${target.word}`,
    run: (line: Line) => callTarget(call, outcome, target, line),
    notRun: () => {
      outcome.ended.push({ target, done: false })
      for (const node of target.nodes) noteNode(session, node.name, 'not run')
    },
  }))
  // Nodes do not depend on each other; instances may, and questions come one by one.
  const concurrent = spec.needs === 'nodes' && spec.destructive !== true
  const { onFailure } = spread
  const among = concurrent ? spread : onFailure === undefined ? {} : { onFailure }
  await spreadOut((each, how) => session.report.list(each, how), items, among, concurrent)
}

function silentLine(report: Report): Line {
  return {
    title: () => undefined,
    output: (text) => report.note(text),
    skip: (reason) => report.note(reason),
    list: (items, options) => report.list(items, options),
  }
}
