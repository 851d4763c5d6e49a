import { KraftError } from '../errors/failure.js'
import { printError } from '../errors/print.js'
import type { Line, Report } from '../report/report.js'
import type { Target } from '../task/context.js'
import { ExitCode, Result } from '../task/result.js'
import { defaults, runTask } from '../task/run.js'
import type { App } from './app.js'
import { printHelp } from './help.js'
import { loadRegistry } from './load.js'
import { parseArguments, parseWord, requireOptions } from './parse.js'
import { createPrompt } from './prompt.js'
import { type Entry, findTask } from './registry.js'
import { createSession } from './session.js'

/** Runs `kraft WORD ARGS` and returns the exit code. */
export async function execute(app: App, word: string, args: readonly string[]): Promise<number> {
  const { task: name, targets } = parseWord(word)
  const loaded = await loadRegistry(app, process.cwd(), name === 'help' ? args[0] : name)
  if (name === 'help') return help(findTask(loaded.registry, args[0] ?? ''))
  const entry = findTask(loaded.registry, name)
  const { spec } = entry.task
  const parsed = parseArguments(name, spec.options ?? {}, spec.takesRest === true || entry.custom, args)
  if (parsed.globals.help) return help(entry)
  const options = { ...defaults(entry.task), ...parsed.options, ...entry.task.given }
  requireOptions(name, spec.options ?? {}, options)
  if (spec.needs === 'nothing' && targets.length > 0) {
    throw new KraftError({ kind: 'usage', message: `${name} takes nothing behind a colon`, next: `See: kraft help ${name}` })
  }
  const flags = {
    dryRun: parsed.globals['dry-run'],
    yes: parsed.globals.yes,
    json: parsed.globals.json,
    debug: parsed.globals.debug,
  }
  const report = await createReport(parsed.globals)
  const workspace = await app.open(process.cwd())
  const { session, end } = createSession({
    app,
    workspace,
    loaded,
    flags,
    report,
    prompt: createPrompt(flags.yes),
    folder: process.cwd(),
    task: name,
  })
  const stop = interruptible(end)
  try {
    const words = targets.length === 0 ? [undefined] : targets
    const found = (await Promise.all(words.map((each) => session.resolve(each, spec.needs, spec.destructive === true)))).flat()
    const call = (target: Target) => ({ task: entry.task, name, target, options, rest: parsed.rest, session })
    const results: unknown[] = []
    if (spec.raw === true) {
      for (const target of found) results.push(await runTask(call(target), silentLine(report)))
    } else {
      const items = found.map((target) => ({
        title: target.word === '' ? name : `${name}:${target.word}`,
        continue: found.length > 1,
        run: async (line: Line) => {
          results.push(await runTask(call(target), line))
        },
      }))
      await report.list(items)
    }
    return show(results, flags.json)
  } finally {
    stop()
    await end()
  }
}

function help(entry: Entry): number {
  process.stdout.write(printHelp(entry))
  return 0
}

function show(results: readonly unknown[], json: boolean): number {
  const texts = results.filter((result) => result instanceof Result)
  if (json)
    process.stdout.write(`${JSON.stringify(texts.length === 1 ? texts[0]?.data : texts.map(({ data }) => data), null, 2)}\n`)
  else for (const { text } of texts) if (text !== '') process.stdout.write(`${text}\n`)
  return results.find((result) => result instanceof ExitCode)?.code ?? 0
}

async function createReport({ events, debug }: { readonly events: boolean; readonly debug: boolean }): Promise<Report> {
  const write = (text: string) => void process.stderr.write(text)
  if (events) return (await import('../report/events.js')).eventReport(write)
  if (process.stderr.isTTY === true && process.env.CI === undefined)
    return (await import('../report/terminal.js')).terminalReport()
  return (await import('../report/plain.js')).plainReport(write, { everything: debug })
}

// Ctrl-C gives locks back and closes connections before kraft goes; a second one goes at once.
function interruptible(end: () => Promise<void>): () => void {
  const listener = () => {
    const first = performance.now()
    // npm passes a Ctrl-C on to what the terminal sent it to already: that is not yet a second one.
    process.on('SIGINT', () => performance.now() - first > 500 && process.exit(130))
    const message = 'Interrupted; what a node had begun it finishes, and the next run continues from there'
    process.stderr.write(`\n${printError(new KraftError({ kind: 'interrupted', message }), { debug: false, color: false })}`)
    end().finally(() => process.exit(130))
  }
  process.once('SIGINT', listener)
  return () => process.off('SIGINT', listener)
}

function silentLine(report: Report): Line {
  return {
    title: () => undefined,
    output: (text) => report.note(text),
    skip: () => undefined,
    list: (items, options) => report.list(items, options),
  }
}
