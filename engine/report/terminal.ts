import {
  getRendererClass,
  Listr,
  ListrLogger,
  type ListrTask,
  ListrTaskEventType,
  type ListrTaskWrapper,
  ProcessOutput,
} from 'listr2'
import { CalmRenderer, withMark } from './calm-renderer.js'
import type { Item, ListOptions, Report } from './report.js'

type Context = Record<string, never>
type Wrapper = ListrTaskWrapper<Context, typeof CalmRenderer, typeof CalmRenderer>

/** Nested lists on a terminal, by listr2, drawn on stderr. */
export function terminalReport(): Report {
  return {
    async list(items, options) {
      const started: Promise<void>[] = []
      const logger = new ListrLogger<string>({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) })
      const listr = new Listr<Context, typeof CalmRenderer>(toTasks(items, options, started), {
        renderer: CalmRenderer,
        concurrent: options?.concurrent ?? false,
        // kraft has its own SIGINT: the lock must be given back first.
        registerSignalListeners: false,
        rendererOptions: { logger, collapseErrors: false, showErrorMessage: false, collapseSubtasks: false },
      })
      await settle(() => listr.run(), started)
    },
    note: (text) => void process.stderr.write(`${text}\n`),
  }
}

function toTasks(
  items: readonly Item[],
  options: ListOptions | undefined,
  started: Promise<void>[],
  crowded = false,
): ListrTask<Context, typeof CalmRenderer>[] {
  const many = crowded || (options?.concurrent !== undefined && options.concurrent !== false && items.length > 1)
  return items.map((item) => ({
    title: item.title,
    ...(item.continue === true ? { exitOnError: false } : {}),
    rendererOptions: { outputBar: 4 },
    task: (_, wrapper: Wrapper) => {
      const running = runItem(item, wrapper, many)
      started.push(running)
      return running
    },
  }))
}

async function runItem(item: Item, wrapper: Wrapper, crowded: boolean): Promise<void> {
  let reason: string | undefined
  await item.run({
    title: (text, mark) => {
      wrapper.title = mark === undefined || mark === 'ok' ? text : withMark(text, mark)
    },
    output: (text) => {
      wrapper.output = text
    },
    skip: (why) => {
      reason = why
    },
    list: async (inner, options) => {
      const started: Promise<void>[] = []
      const list = wrapper.newListr(toTasks(inner, options, started, crowded), { concurrent: options?.concurrent ?? false })
      // What listr2 does with a list that a task returns; an item may show several, one after the other.
      const show = (tasks: typeof list.tasks) => {
        wrapper.task.subtasks = tasks
        wrapper.task.emit(ListrTaskEventType.SUBTASK, tasks)
      }
      const before = wrapper.task.subtasks ?? []
      show([...before, ...list.tasks])
      list.rendererClass = getRendererClass('silent')
      await settle(() => list.run(), started)
      if (options?.brief === true || crowded) show(before)
    },
  })
  if (reason !== undefined) wrapper.skip(`${item.title} (${reason})`)
}

// listr2 gives up a concurrent list at its first failure while the others still run: wait for them, then fail.
async function settle(run: () => Promise<unknown>, started: readonly Promise<void>[]): Promise<void> {
  try {
    await run()
  } finally {
    await Promise.allSettled(started)
  }
}
