import { type Failure, KraftError } from '../errors/failure.js'
import type { Item, Line, Mark } from '../report/report.js'
import type { Connection } from '../ssh/connection.js'
import { apply, type StepEvent } from './apply.js'
import type { Script } from './compile.js'
import type { Step, StepStatus } from './step.js'

/** How many steps ended how, what they printed, and how long they took. */
export interface Applied {
  /** How many steps ended in which way. */
  readonly counts: Readonly<Record<StepStatus, number>>
  /** The lines that each step printed, by its place among them. */
  readonly output: readonly (readonly string[])[]
  /** How long it took. */
  readonly seconds: number
}

/** A script, and the locks that it runs under. */
export interface Sent {
  readonly script: Script
  readonly locks?: ReadonlyMap<string, string>
}

/** Steps that people know by one title. */
export interface Phase {
  /** What people read of it. */
  readonly title: string
  /** In the order in which they run. */
  readonly steps: readonly Step[]
}

/**
 * Runs a script on a node and shows each step as a line of its own below `line`.
 *
 * @throws KraftError `step` for the first step or handler that failed, or what {@link apply} throws.
 */
export async function showSteps(connection: Connection, sent: Sent, mode: 'apply' | 'check', line: Line): Promise<Applied> {
  const shown = shownSteps(sent.script.steps, mode)
  const started = performance.now()
  await show(connection, sent, mode, line, shown, () => line.list(items(shown), { brief: true }))
  return summary(shown, started)
}

/**
 * Runs one script that is made of several phases and shows each phase as a line with its steps below; `begun` hears of each that
 * begins.
 *
 * @throws KraftError like {@link showSteps}.
 */
export async function showPhases(
  connection: Connection,
  { phases, ...sent }: Sent & { readonly phases: readonly Phase[] },
  mode: 'apply' | 'check',
  line: Line,
  begun: (title: string) => void = () => undefined,
): Promise<readonly Applied[]> {
  const shown = phases.map(({ title, steps }) => ({ title, steps: shownSteps(steps, mode) }))
  const applied: Applied[] = []
  const list = () =>
    line.list(
      shown.map(({ title, steps }) => ({
        title,
        run: async (own) => {
          begun(title)
          const started = performance.now()
          await own.list(items(steps), { brief: true })
          applied.push(await summary(steps, started))
        },
      })),
    )
  await show(
    connection,
    sent,
    mode,
    line,
    shown.flatMap(({ steps }) => steps),
    list,
  )
  return applied
}

function shownSteps(steps: readonly Step[], mode: 'apply' | 'check'): readonly ShownStep[] {
  return steps.map((step) => new ShownStep(step, mode === 'check' ? 'diff' : step.loud === true ? undefined : 'detail'))
}

function items(shown: readonly ShownStep[]): readonly Item[] {
  return shown.map((step) => ({ title: step.title, run: (own) => step.show(own) }))
}

async function summary(shown: readonly ShownStep[], started: number): Promise<Applied> {
  const counts = { ok: 0, changed: 0, failed: 0, skipped: 0, changes: 0, maybe: 0 }
  for (const step of shown) counts[(await step.done).status] += 1
  return { counts, output: shown.map((step) => step.output), seconds: (performance.now() - started) / 1000 }
}

async function show(
  connection: Connection,
  { script, locks }: Sent,
  mode: 'apply' | 'check',
  line: Line,
  shown: readonly ShownStep[],
  list: () => Promise<void>,
): Promise<void> {
  if (shown.length === 0) return
  const following = follow(apply(connection, script, mode, locks), shown, line, connection.node)
  // Each line waits for its step; one that never ran fails with what ended the script.
  const ended = following.then(
    () => shown.forEach((step) => void step.fail(new Error('The script passed over this step'))),
    (error: unknown) => shown.forEach((step) => void step.fail(error)),
  )
  // Both are awaited, so that neither is unhandled; what ended the script says the most.
  const results = await Promise.allSettled([following, list(), ended])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

// What a step without a check does each time is no difference that somebody made.
function markOf({ check }: Step, status: 'ok' | 'changed' | 'changes' | 'maybe'): Mark {
  if (status === 'changed') return check === undefined ? 'done' : 'changed'
  if (status === 'changes') return check === undefined ? 'would run' : 'would change'
  return status
}

/** A step and the line that shows it; output may come before the line is there. */
class ShownStep {
  readonly output: string[] = []
  readonly done: Promise<{ status: StepStatus; detail: string }>
  end: (status: StepStatus, detail: string) => void = () => undefined
  fail: (error: unknown) => void = () => undefined
  private line: Line | undefined

  constructor(
    private readonly step: Step,
    /** What it prints is the point, the command's own words or the diff of a dry run, or it is a detail. */
    private readonly kind: 'detail' | 'diff' | undefined,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.end = (status, detail) => resolve({ status, detail })
      this.fail = reject
    })
    // A line that is never shown waits for nothing.
    this.done.catch(() => undefined)
  }

  get title(): string {
    return this.step.title
  }

  /** The line of what it applies at which it ended: the text as it was sent, which holds no secret. */
  command(number: number): { readonly line: number; readonly text: string } | undefined {
    const texts = this.step.apply.text.split('\n').slice(0, number)
    // What is put in brackets ends at the bracket, which says nothing.
    const last = texts.findLastIndex((text) => /\w/.test(text))
    const text = texts[last]?.trim()
    return text === undefined ? undefined : { line: last + 1, text }
  }

  print(text: string): void {
    this.output.push(text)
    if (this.line !== undefined) this.say(this.line, text)
  }

  async show(line: Line): Promise<void> {
    this.line = line
    for (const text of this.output) this.say(line, text)
    const { status, detail } = await this.done
    if (status === 'skipped') line.skip(detail)
    else if (status !== 'failed') line.title(this.title, markOf(this.step, status))
  }

  private say(line: Line, text: string): void {
    line.output(text, this.kind)
  }
}

type Stopped = Pick<Extract<Failure, { kind: 'step' }>, 'at' | 'left'>

/** Hands events on to their lines; throws the first failure once the script has ended. */
async function follow(events: AsyncIterable<StepEvent>, steps: readonly ShownStep[], line: Line, node: string): Promise<void> {
  let failure: KraftError | undefined
  let current: ShownStep | undefined
  let handler: string[] = []
  const fail = (step: string, code: number, output: readonly string[], more: Stopped = {}) => {
    const error = new KraftError({ kind: 'step', node, step, code, output: output.slice(-20).join('\n'), ...more })
    failure ??= error
    return error
  }
  for await (const event of events) {
    switch (event.type) {
      case 'waiting':
        line.output('waiting for another run of kraft on this node')
        break
      case 'begin':
        current = steps[event.step]
        break
      case 'output':
        if (current !== undefined) current.print(event.text)
        else {
          handler.push(event.text)
          line.output(event.text)
        }
        break
      case 'end': {
        const step = steps[event.step]
        if (event.status === 'failed') {
          const at = event.line === undefined ? undefined : step?.command(event.line)
          const more = { left: steps.length - event.step - 1, ...(at === undefined ? {} : { at }) }
          step?.fail(fail(step.title, Number(event.detail), step.output, more))
        } else step?.end(event.status, event.detail)
        current = undefined
        break
      }
      case 'handler':
        handler = []
        line.output(event.name, 'detail')
        break
      case 'handler-end':
        if (event.code !== 0) fail(event.name, event.code, handler)
        break
      case 'finish':
      case 'lost':
        break
    }
  }
  if (failure !== undefined) throw failure
}
