import {
  DefaultRenderer,
  getRendererClass,
  Listr,
  ListrLogger,
  type ListrTask,
  ListrTaskEventType,
  type ListrTaskWrapper,
  ProcessOutput,
} from 'listr2'
import type { Item, Report } from './report.js'

// listr2 repaints on every line of output, which made 20 busy nodes take 22 s for 3.4 s of work: paint at most every 80 ms,
// and rarer where painting is slow.
class CalmRenderer extends DefaultRenderer {
  // The list is drawn on stderr, so whether stdout is a terminal does not matter.
  static override nonTTY = true
  private timer: NodeJS.Timeout | undefined
  private cost = 0

  override update(): void {
    if (this.timer !== undefined) return
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        const start = performance.now()
        super.update()
        this.cost = performance.now() - start
      },
      Math.max(80, 4 * this.cost),
    )
  }

  override end(): void {
    clearTimeout(this.timer)
    super.end()
  }
}

type Context = Record<string, never>
type Wrapper = ListrTaskWrapper<Context, typeof CalmRenderer, typeof DefaultRenderer>

/** Nested lists on a terminal, by listr2, drawn on stderr. */
export function terminalReport(): Report {
  return {
    async list(items, options) {
      const started: Promise<void>[] = []
      const logger = new ListrLogger<string>({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) })
      const listr = new Listr<Context, typeof CalmRenderer>(
        items.map((item) => toTask(item, started)),
        {
          renderer: CalmRenderer,
          concurrent: options?.concurrent ?? false,
          // kraft has its own SIGINT: the lock must be given back first.
          registerSignalListeners: false,
          rendererOptions: {
            logger,
            collapseErrors: false,
            showErrorMessage: false,
            collapseSubtasks: true,
            formatOutput: 'truncate',
          },
        },
      )
      await settle(() => listr.run(), started)
    },
    note: (text) => void process.stderr.write(`${text}\n`),
  }
}

function toTask(item: Item, started: Promise<void>[]): ListrTask<Context, typeof CalmRenderer> {
  return {
    title: item.title,
    ...(item.continue === true ? { exitOnError: false } : {}),
    rendererOptions: { outputBar: 4 },
    task: (_, wrapper: Wrapper) => {
      const running = runItem(item, wrapper)
      started.push(running)
      return running
    },
  }
}

async function runItem(item: Item, wrapper: Wrapper): Promise<void> {
  let reason: string | undefined
  await item.run({
    title: (text) => {
      wrapper.title = text
    },
    output: (text) => {
      wrapper.output = text
    },
    skip: (why) => {
      reason = why
    },
    list: async (inner, options) => {
      const started: Promise<void>[] = []
      const list = wrapper.newListr(
        inner.map((each) => toTask(each, started)),
        { concurrent: options?.concurrent ?? false },
      )
      // What listr2 does with a list that a task returns; an item may show several, one after the other.
      wrapper.task.subtasks = [...(wrapper.task.subtasks ?? []), ...list.tasks]
      wrapper.task.emit(ListrTaskEventType.SUBTASK, wrapper.task.subtasks)
      list.rendererClass = getRendererClass('silent')
      await settle(() => list.run(), started)
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
