import { setTimeout as sleep } from 'node:timers/promises'
import { explain } from '../errors/explain.js'
import { formatPlace, KraftError } from '../errors/failure.js'
import { openReport } from '../report/open.js'
import { endLocal } from '../shell/noted.js'
import { registerSecretive } from '../shell/secretive.js'
import { endGroups } from '../ssh/group.js'
import { stopScripts } from '../step/apply.js'
import { nodeEnds } from '../task/node-ends.js'
import type { App } from './app.js'
import { callTargets, type Outcome } from './call-targets.js'
import { checkCall } from './check-call.js'
import { rememberEnds } from './choose-targets.js'
import { exitCode } from './exit.js'
import { printHelp } from './help.js'
import { type Interruption, interruption } from './interruption.js'
import { loadRegistry } from './load.js'
import { parseArguments, parseWord } from './parse.js'
import { createPrompt } from './prompt.js'
import { type Entry, findTask } from './registry.js'
import { createSession } from './session.js'
import { showError } from './show-error.js'
import { showNext } from './show-next.js'
import { showRest, showResults } from './show-results.js'
import { unlessStray } from './stray.js'
import { withWhereabouts } from './whereabouts.js'

/** Runs `kraft WORD ARGS` and returns the exit code. Throws what the task ends with. */
export async function execute(app: App, word: string, args: readonly string[]): Promise<number> {
  const asked = parseWord(word)
  const { task: name, targets } = asked
  const wanted = name === 'help' ? parseWord(args[0] ?? '').task : name
  const loaded = await loadRegistry(app, process.cwd(), wanted)
  const entry = findTask(loaded.registry, wanted)
  if (name === 'help') return help(entry)
  const { spec } = entry.task
  const lacksTarget = targets.length === 0 && (spec.needs !== 'nothing' || spec.optionalTarget === true)
  const typed = parseArguments(name, spec.options ?? {}, spec.takesRest === true || entry.custom, args, lacksTarget)
  const { globals, rest } = typed
  if (globals.help) return help(entry)
  const { options, spread } = checkCall(entry, asked, typed)
  const flags = { dryRun: globals['dry-run'], yes: globals.yes, json: globals.json, debug: globals.debug }
  registerSecretive(process.env)
  const report = await openReport(globals)
  const workspace = await app.open(process.cwd())
  for (const warning of workspace.warnings) report.note(`warning: ${warning}`)
  const ended = new AbortController()
  const { session, reached, node, end } = createSession({
    app,
    workspace,
    loaded,
    flags,
    spread,
    askPassword: globals['ask-password'],
    report,
    prompt: createPrompt(flags.yes, report, ended.signal),
    ended: ended.signal,
    folder: process.cwd(),
    task: name,
    connection: spec.connection,
  })
  const called = { folder: workspace.project?.folder ?? '', task: name }
  const outcome: Outcome = { finished: [], ended: [] }
  const { finished } = outcome
  const work = () => callTargets({ entry, called, words: targets, options, rest, typed: typed.spread, spread, session }, outcome)
  const conclude = async (error?: unknown) => {
    const interrupted = isInterrupted(error)
    const ends = nodeEnds(session)
    if (ends.length > 1 && !interrupted) report.nodes(ends, { dryRun: flags.dryRun })
    if (spec.raw === true || flags.dryRun) return
    const limited = typed.spread.limit !== undefined || typed.spread['retry-failed'] === true
    await rememberEnds(entry.task, called, outcome.ended, {
      ends,
      limited,
      interrupted,
      batches: spread.batch !== undefined,
    })
  }
  // A command that passes through gets Ctrl-C itself.
  const interrupted = spec.raw === true ? undefined : interruption(reached)
  let isOver = false
  let hasFailed = false
  try {
    const working = work().finally(() => {
      isOver = true
    })
    const race = interrupted === undefined ? working : Promise.race([working, interrupted.happens])
    const count = await unlessStray(race, () => neverEnds(entry))
    await conclude()
    const { code, printed } = showResults(finished, { json: flags.json, several: count > 1 })
    showRest(session, printed, globals.events)
    if (code === 0) showNext(finished, globals)
    return code
  } catch (thrown) {
    const error = await orInterruption(thrown, interrupted)
    hasFailed = true
    // What was thrown while work goes on, by an interruption or a stray error, leaves that to be ended.
    if (isInterrupted(error) || !isOver) {
      ended.abort()
      await Promise.all([endGroups(), endLocal(), stopScripts()])
    }
    await conclude(error)
    // What some targets have done is told although others failed.
    const shown = finished.length > 0 ? showResults(finished, { json: flags.json, several: true }) : undefined
    showRest(session, shown?.printed ?? '', globals.events)
    const ask = async (which: string) => {
      const silent = node(which)
      return silent === undefined ? undefined : app.whereItIs?.(session, silent)
    }
    throw await withWhereabouts(error, ask, session.applied.size > 0)
  } finally {
    report.stop()
    ended.abort()
    await end().catch((error: unknown) => {
      if (!hasFailed) throw error
      showError(error, { debug: flags.debug, events: globals.events, code: exitCode(error) })
    })
    interrupted?.ignore()
  }
}

// Milliseconds; both got it in the same moment.
const momentLater = 200

/** Ctrl-C at a terminal ends a command of this machine as well, of whose end kraft may hear first. */
async function orInterruption(error: unknown, interrupted: Interruption | undefined): Promise<unknown> {
  const failure = explain(error)?.failure
  if (interrupted === undefined || failure?.kind !== 'command' || failure.code !== null) return error
  return Promise.race([interrupted.happens.catch((said: unknown) => said), sleep(momentLater, error)])
}

function isInterrupted(error: unknown): boolean {
  return explain(error)?.failure.kind === 'interrupted'
}

function neverEnds({ name, place }: Entry): KraftError {
  const next = place === undefined ? {} : { next: `Look at what it awaits: ${formatPlace(place)}` }
  return new KraftError({ kind: 'task', message: `${name} waits for something that never comes`, ...next })
}

function help(entry: Entry): number {
  process.stdout.write(printHelp(entry, process.stdout.columns))
  return 0
}
