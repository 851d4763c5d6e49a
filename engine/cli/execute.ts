import { explain } from '../errors/explain.js'
import { isKraftError, KraftError } from '../errors/failure.js'
import { openReport } from '../report/open.js'
import type { Line, Report } from '../report/report.js'
import { endLocal } from '../shell/noted.js'
import { registerSecretive } from '../shell/secretive.js'
import { endGroups } from '../ssh/group.js'
import { stopScripts } from '../step/apply.js'
import type { Asked, Target } from '../task/context.js'
import { nodeEnds, nodeSummary, noteNode, partialOf } from '../task/node-ends.js'
import { defaultOptions, requireOptions } from '../task/option.js'
import { runTask } from '../task/run.js'
import { spreadOut } from '../task/spread.js'
import type { App } from './app.js'
import { chooseTargets, type EndedTarget, rememberEnds } from './choose-targets.js'
import { printHelp } from './help.js'
import { interruption } from './interruption.js'
import { loadRegistry } from './load.js'
import { optionsFromVariables } from './option-variables.js'
import { parseArguments, parseWord } from './parse.js'
import { createPrompt } from './prompt.js'
import { type Entry, findTask } from './registry.js'
import { createSession } from './session.js'
import { type Finished, showResults } from './show-results.js'
import { spreadOf } from './spread-options.js'

/** Runs `kraft WORD ARGS` and returns the exit code. Throws what the task ends with. */
export async function execute(app: App, word: string, args: readonly string[]): Promise<number> {
  const { task: name, targets } = parseWord(word)
  const wanted = name === 'help' ? parseWord(args[0] ?? '').task : name
  const loaded = await loadRegistry(app, process.cwd(), wanted)
  const entry = findTask(loaded.registry, wanted)
  if (name === 'help') return help(entry)
  const { spec, given } = entry.task
  const specs = spec.options ?? {}
  const typed = parseArguments(name, specs, spec.takesRest === true || entry.custom, args)
  const { globals, rest } = typed
  if (globals.help) return help(entry)
  const options = { ...optionsFromVariables(name, specs, { ...typed.options, ...given }), ...typed.options }
  const spread = spreadOf(name, entry.task, typed.spread)
  requireOptions(name, specs, { ...defaultOptions(specs), ...options, ...given })
  if (spec.needs === 'nothing' && spec.optionalTarget !== true && targets.length > 0) {
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
    spread,
    askPassword: globals['ask-password'],
    report,
    prompt: createPrompt(flags.yes, report),
    folder: process.cwd(),
    task: name,
    ownConnection: spec.ownConnection === true,
  })
  const finished: Finished[] = []
  const called = { folder: workspace.project?.folder ?? '', task: name }
  const ended: EndedTarget[] = []
  const work = async () => {
    const words = targets.length === 0 ? [undefined] : targets
    const all = (await Promise.all(words.map((each) => session.resolve(each, spec.needs, spec.destructive === true)))).flat()
    const found = all.every(({ nodes }) => nodes.length === 0) ? all : await chooseTargets(all, typed.spread, called)
    if (found.length === 0) report.note(`${name} failed nowhere when it ran last: there is nothing to retry`)
    const run = async (target: Target, line: Line, asked?: Asked) => {
      const given = asked === undefined ? {} : { asked }
      const place = ended.push({ target, done: false }) - 1
      try {
        const result = await runTask({ task: entry.task, target, options, rest, session, ...given }, line)
        finished.push({ target: target.word, result })
        ended[place] = { target, done: true }
      } catch (error) {
        const result = partialOf(session, target.word)
        if (result !== undefined) finished.push({ target: target.word, result })
        throw error
      }
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
      run: (line: Line) => run(target, line),
      notRun: () => {
        ended.push({ target, done: false })
        for (const node of target.nodes) noteNode(session, node.name, 'not run')
      },
    }))
    // Nodes do not depend on each other; instances may, and questions come one by one.
    const concurrent = spec.needs === 'nodes' && spec.destructive !== true
    const { onFailure } = spread
    const among = concurrent ? spread : onFailure === undefined ? {} : { onFailure }
    await spreadOut((each, how) => report.list(each, how), items, among, concurrent)
    return found.length
  }
  const conclude = async (error?: unknown) => {
    const interrupted = explain(error)?.failure.kind === 'interrupted'
    const ends = nodeEnds(session)
    if (ends.length > 1 && !interrupted) {
      if (globals.events) process.stderr.write(`${JSON.stringify({ event: 'nodes', nodes: ends })}\n`)
      else report.note(nodeSummary(ends, flags.dryRun))
    }
    if (spec.raw === true || flags.dryRun) return
    const limited = typed.spread.limit !== undefined || typed.spread['retry-failed'] === true
    await rememberEnds(entry.task, called, ended, { ends, limited, interrupted })
  }
  // A command that passes through gets Ctrl-C itself.
  const interrupted = spec.raw === true ? undefined : interruption()
  try {
    const count = await (interrupted === undefined ? work() : Promise.race([work(), interrupted.happens]))
    await conclude()
    return showResults(finished, { json: flags.json, several: count > 1 })
  } catch (error) {
    if (isKraftError(error) && error.failure.kind === 'interrupted') await Promise.all([endGroups(), endLocal(), stopScripts()])
    await conclude(error)
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
