import { KraftError } from '../errors/failure.js'
import type { Item, Line, Mark } from '../report/report.js'
import type { Connection } from '../ssh/connection.js'
import { apply, type StepEvent } from './apply.js'
import type { Script } from './compile.js'
import type { Step, StepStatus } from './step.js'

/** How many steps of a script ended how, and what they printed. */
export interface Applied {
  readonly counts: Readonly<Record<StepStatus, number>>
  /** The lines that each step printed, by its place in the script. */
  readonly output: readonly (readonly string[])[]
}

interface Running {
  readonly done: Promise<{ status: StepStatus; detail: string }>
  finish(status: StepStatus, detail: string): void
  readonly output: string[]
  line?: Line
}

/** Runs a script on a node and shows each step as a line of its own below `line`. Throws the first failed step. */
export async function showSteps(connection: Connection, script: Script, mode: 'apply' | 'check', line: Line): Promise<Applied> {
  const counts = { ok: 0, changed: 0, failed: 0, skipped: 0, changes: 0, maybe: 0 }
  if (script.steps.length === 0) return { counts, output: [] }
  const running = script.steps.map(deferred)
  const handlers = deferred()
  const follow = async () => {
    let failure: KraftError | undefined
    let current: Running | undefined
    try {
      for await (const event of apply(connection, script, mode)) {
        current = note(event, script.steps, running, handlers, current, line)
        failure ??= failed(event, connection.node, script, running, handlers)
      }
    } finally {
      for (const step of [...running, handlers]) step.finish('failed', 'the connection was lost')
    }
    if (failure !== undefined) throw failure
  }
  const following = follow()
  const items = script.steps.map(
    (step, index): Item => ({ title: step.title, run: (own) => showStep(running[index], step, own) }),
  )
  const shown = line.list(items, { brief: true })
  // The script's own failure says more than the line's; both are awaited, so that neither is unhandled.
  const [followed, listed] = await Promise.allSettled([following, shown])
  if (followed.status === 'rejected') throw followed.reason
  if (listed.status === 'rejected') throw listed.reason
  for (const step of running) counts[(await step.done).status] += 1
  return { counts, output: running.map((step) => step.output) }
}

function deferred(): Running {
  let finish: Running['finish'] = () => undefined
  const done = new Promise<{ status: StepStatus; detail: string }>((resolve) => {
    finish = (status, detail) => resolve({ status, detail })
  })
  return { done, finish: (status, detail) => finish(status, detail), output: [] }
}

async function showStep(running: Running | undefined, step: Step, line: Line): Promise<void> {
  if (running === undefined) return
  running.line = line
  for (const text of running.output) line.output(text, kindOf(step))
  const { status, detail } = await running.done
  if (status === 'failed') throw new StepFailed(step.title)
  if (status === 'skipped') line.skip(detail)
  else line.title(step.title, markOf(step, status))
}

// What a step without a check does each time is no difference that somebody made.
function markOf({ check }: Step, status: 'ok' | 'changed' | 'changes' | 'maybe'): Mark {
  if (status === 'changed') return check === undefined ? 'done' : 'changed'
  if (status === 'changes') return check === undefined ? 'would run' : 'would change'
  return status
}

const kindOf = (step: Step | undefined) => (step?.loud === true ? undefined : 'detail')

class StepFailed extends Error {}

function note(
  event: StepEvent,
  steps: readonly Step[],
  running: readonly Running[],
  handlers: Running,
  current: Running | undefined,
  line: Line,
): Running | undefined {
  switch (event.type) {
    case 'waiting':
      line.output('waiting for another run of kraft on this node')
      return current
    case 'begin':
      return running[event.step]
    case 'output':
      current?.output.push(event.text)
      ;(current?.line ?? line).output(event.text, kindOf(current === undefined ? undefined : steps[running.indexOf(current)]))
      return current
    case 'end':
      running[event.step]?.finish(event.status, event.detail)
      return undefined
    case 'handler':
      line.output(event.name, 'detail')
      return { ...handlers, line }
    default:
      return undefined
  }
}

function failed(
  event: StepEvent,
  node: string,
  script: Script,
  running: readonly Running[],
  handlers: Running,
): KraftError | undefined {
  if (event.type === 'end' && event.status === 'failed') {
    const output = running[event.step]?.output.slice(-20).join('\n') ?? ''
    return new KraftError({ kind: 'step', node, step: script.steps[event.step]?.title ?? '', code: Number(event.detail), output })
  }
  if (event.type === 'handler-end' && event.code !== 0) {
    return new KraftError({
      kind: 'step',
      node,
      step: event.name,
      code: event.code,
      output: handlers.output.slice(-20).join('\n'),
    })
  }
  return undefined
}
