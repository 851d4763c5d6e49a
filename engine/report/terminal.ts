import {
  getRendererClass,
  Listr,
  ListrLogger,
  type ListrTask,
  ListrTaskEventType,
  type ListrTaskWrapper,
  ProcessOutput,
} from 'listr2'
import { CalmRenderer, withMark, withTime } from './calm-renderer.js'
import { nodeSummary } from './node-summary.js'
import { Outcomes } from './outcomes.js'
import { duration, progressText } from './progress-text.js'
import type { Item, ListOptions, Report } from './report.js'
import { goesOn } from './run-all.js'

type Context = Record<string, never>
type Wrapper = ListrTaskWrapper<Context, typeof CalmRenderer, typeof CalmRenderer>

/** stderr with the size that the terminal has now: listr2's own keeps the first one. */
class LiveOutput extends ProcessOutput {
  override get stdout(): NodeJS.WriteStream {
    return Object.create(process.stderr, { write: { value: super.stdout.write } })
  }
}

/** Nested lists on a terminal, by listr2, drawn on stderr. */
export function terminalReport(): Report {
  return {
    async list(items, options) {
      const outcomes = new Outcomes(items)
      const logger = new ListrLogger<string>({ useIcons: true, processOutput: new LiveOutput(process.stderr, process.stderr) })
      const listr = new Listr<Context, typeof CalmRenderer>(toTasks(items, options, outcomes), {
        renderer: CalmRenderer,
        ...listOptions(items, options),
        // kraft has its own SIGINT: the lock must be given back first.
        registerSignalListeners: false,
        rendererOptions: { logger, collapseErrors: false, showErrorMessage: false, collapseSubtasks: false },
      })
      await finish(() => listr.run(), outcomes)
    },
    note: (text) => void process.stderr.write(`${text}\n`),
    nodes: (ends, { dryRun }) =>
      void process.stderr.write(`${nodeSummary(ends, { dryRun, columns: process.stderr.columns || 80 })}\n`),
    aside: (other) => CalmRenderer.aside(other),
    stop: () => CalmRenderer.stop(),
  }
}

function toTasks(
  items: readonly Item[],
  options: ListOptions | undefined,
  outcomes: Outcomes,
  crowded = false,
): ListrTask<Context, typeof CalmRenderer>[] {
  const many = crowded || (options?.concurrent !== undefined && options.concurrent !== false && items.length > 1)
  return items.map((item) => ({
    title: item.title,
    exitOnError: !goesOn(item, options?.concurrent ?? false),
    rendererOptions: { outputBar: 4 },
    task: (_, wrapper: Wrapper) => outcomes.note(item, () => runItem(item, wrapper, many)),
  }))
}

function listOptions(items: readonly Item[], { concurrent = false }: ListOptions = {}) {
  // Where one failed, listr2 shows what still runs as if it waited, unless the list as a whole goes on.
  return { concurrent, exitOnError: !items.every((item) => goesOn(item, concurrent)) }
}

async function runItem(item: Item, wrapper: Wrapper, crowded: boolean): Promise<void> {
  let reason: string | undefined
  let shown = item.title
  const started = performance.now()
  const begun = CalmRenderer.drawn
  await item.run({
    title: (text, mark) => {
      shown = mark === undefined || mark === 'ok' ? text : withMark(text, mark)
      wrapper.title = shown
    },
    progress: (at) => {
      wrapper.title = withMark(shown, progressText(at))
    },
    output: (text) =>
      CalmRenderer.afterDrawing(begun, () => {
        wrapper.output = text
      }),
    skip: (why) => {
      reason = why
    },
    list: async (inner, options) => {
      const outcomes = new Outcomes(inner)
      const list = wrapper.newListr(toTasks(inner, options, outcomes, crowded), listOptions(inner, options))
      // What listr2 does with a list that a task returns; an item may show several, one after the other.
      const show = (tasks: typeof list.tasks) => {
        wrapper.task.subtasks = tasks
        wrapper.task.emit(ListrTaskEventType.SUBTASK, tasks)
      }
      const before = wrapper.task.subtasks ?? []
      show([...before, ...list.tasks])
      list.rendererClass = getRendererClass('silent')
      await finish(() => list.run(), outcomes)
      if (options?.brief === true || crowded) show(before)
    },
  })
  const seconds = (performance.now() - started) / 1000
  // What is quick needs no time beside it.
  wrapper.title = seconds < 1 ? shown : withTime(shown, duration(seconds))
  if (reason !== undefined) wrapper.skip(`${item.title} (${reason})`)
}

/** Runs a list of listr2, which throws some failures and forgets others; the outcomes know them all. */
async function finish(run: () => Promise<unknown>, outcomes: Outcomes): Promise<void> {
  try {
    await run()
  } catch (error) {
    outcomes.check()
    throw error
  }
  outcomes.check()
}
