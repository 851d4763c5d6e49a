import { isKraftError, KraftError } from '../errors/failure.js'
import { openReport } from '../report/open.js'
import type { Line, Report } from '../report/report.js'
import { endLocal } from '../shell/noted.js'
import { registerSecretive } from '../shell/secretive.js'
import { endGroups } from '../ssh/group.js'
import { stopScripts } from '../step/apply.js'
import type { Asked, Target } from '../task/context.js'
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
  if (spec.needs === 'nothing' && targets.length > 0) {
    throw new KraftError({ kind: 'usage', message: `${name} takes nothing behind a colon`, next: `See: kraft help ${name}` })
  }
  const flags = { dryRun: globals['dry-run'], yes: globals.yes, json: globals.json, debug: globals.debug }
  registerSecretive(process.env)
  const report = await openReport(globals)
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
  })
  const finished: Finished[] = []
  const work = async () => {
    const words = targets.length === 0 ? [undefined] : targets
    const found = (await Promise.all(words.map((each) => session.resolve(each, spec.needs, spec.destructive === true)))).flat()
    const run = async (target: Target, line: Line, asked?: Asked) => {
      const given = asked === undefined ? {} : { asked }
      const result = await runTask({ task: entry.task, target, options, rest, session, ...given }, line)
      finished.push({ target: target.word, result })
    }
    const [first] = found
    if (spec.gathers === true && first !== undefined) {
      await run(first, silentLine(report), { targets: found, all: targets.includes('all') })
      return 1
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
    if (isKraftError(error) && error.failure.kind === 'interrupted') await Promise.all([endGroups(), endLocal(), stopScripts()])
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

function silentLine(report: Report): Line {
  return {
    title: () => undefined,
    output: (text) => report.note(text),
    skip: (reason) => report.note(reason),
    list: (items, options) => report.list(items, options),
  }
}
