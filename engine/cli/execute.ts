import { KraftError } from '../errors/failure.js'
import type { Line, Report } from '../report/report.js'
import type { Target } from '../task/context.js'
import { defaultOptions, requireOptions } from '../task/option.js'
import { runTask } from '../task/run.js'
import type { App } from './app.js'
import { printHelp } from './help.js'
import { interruption } from './interruption.js'
import { loadRegistry } from './load.js'
import { parseArguments, parseWord } from './parse.js'
import { createPrompt } from './prompt.js'
import { type Entry, findTask } from './registry.js'
import { createSession } from './session.js'
import { type Finished, showResults } from './show-results.js'

/** Runs `kraft WORD ARGS` and returns the exit code. Throws what the task ends with. */
export async function execute(app: App, word: string, args: readonly string[]): Promise<number> {
  const { task: name, targets } = parseWord(word)
  const wanted = name === 'help' ? parseWord(args[0] ?? '').task : name
  const loaded = await loadRegistry(app, process.cwd(), wanted)
  const entry = findTask(loaded.registry, wanted)
  if (name === 'help') return help(entry)
  const { spec, given } = entry.task
  const specs = spec.options ?? {}
  const { options, globals, rest } = parseArguments(name, specs, spec.takesRest === true || entry.custom, args)
  if (globals.help) return help(entry)
  requireOptions(name, specs, { ...defaultOptions(specs), ...options, ...given })
  if (spec.needs === 'nothing' && spec.optionalTarget !== true && targets.length > 0) {
    throw new KraftError({ kind: 'usage', message: `${name} takes nothing behind a colon`, next: `See: kraft help ${name}` })
  }
  const flags = { dryRun: globals['dry-run'], yes: globals.yes, json: globals.json, debug: globals.debug }
  const report = await createReport(globals)
  const workspace = await app.open(process.cwd())
  for (const warning of workspace.user.warnings) report.note(`warning: ${warning}`)
  const { session, end } = createSession({
    app,
    workspace,
    loaded,
    flags,
    report,
    prompt: createPrompt(flags.yes, report),
    folder: process.cwd(),
    task: name,
    ownConnection: spec.ownConnection === true,
  })
  const finished: Finished[] = []
  const work = async () => {
    const words = targets.length === 0 ? [undefined] : targets
    const found = (await Promise.all(words.map((each) => session.resolve(each, spec.needs, spec.destructive === true)))).flat()
    const run = async (target: Target, line: Line) => {
      const result = await runTask({ task: entry.task, target, options, rest, session }, line)
      finished.push({ target: target.word, result })
    }
    if (spec.raw === true) {
      for (const target of found) await run(target, silentLine(report))
      return found.length
    }
    const items = found.map((target) => ({
      title: target.word === '' ? name : `${name}:${target.word}`,
      continue: found.length > 1,
      run: (line: Line) => run(target, line),
    }))
    // Nodes do not depend on each other; instances may, and questions come one by one.
    await report.list(items, { concurrent: spec.needs === 'nodes' && spec.destructive !== true })
    return found.length
  }
  // A command that passes through gets Ctrl-C itself.
  const interrupted = spec.raw === true ? undefined : interruption()
  try {
    const count = await (interrupted === undefined ? work() : Promise.race([work(), interrupted.happens]))
    return showResults(finished, { json: flags.json, several: count > 1 })
  } catch (error) {
    // What some targets have done is told although others failed.
    if (finished.length > 0) showResults(finished, { json: flags.json, several: true })
    throw error
  } finally {
    report.stop()
    await end()
    interrupted?.ignore()
  }
}

function help(entry: Entry): number {
  process.stdout.write(printHelp(entry))
  return 0
}

async function createReport(globals: Readonly<Record<'events' | 'debug' | 'dry-run', boolean>>): Promise<Report> {
  const write = (text: string) => void process.stderr.write(text)
  if (globals.events) return (await import('../report/events.js')).eventReport(write)
  // A plan is there to be read: lines of a list that moves would take its diffs away again.
  if (process.stderr.isTTY === true && process.env.CI === undefined && !globals['dry-run']) {
    return (await import('../report/terminal.js')).terminalReport()
  }
  return (await import('../report/plain.js')).plainReport(write, { everything: globals.debug })
}

function silentLine(report: Report): Line {
  return {
    title: () => undefined,
    output: (text) => report.note(text),
    skip: (reason) => report.note(reason),
    list: (items, options) => report.list(items, options),
  }
}
