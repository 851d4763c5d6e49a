import { fstatSync } from 'node:fs'
import { errorData } from '../engine/errors/data.js'
import { KraftError } from '../engine/errors/failure.js'
import { printError } from '../engine/errors/print.js'
import type { Node } from '../engine/node/node.js'
import { hasColors } from '../engine/report/abilities.js'
import { redact } from '../engine/shell/redact.js'
import type { Outcome } from '../engine/ssh/run-many.js'
import type { Target } from '../engine/task/context.js'
import { ExitCode } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'

/** One node that the command runs on, for one target. */
export interface Place {
  readonly target: Target
  readonly node: Node
}

/**
 * Runs a command on several nodes at once and prints their lines behind their names; with `--json` one document tells how
 * each ended. The exit code is the highest of all, 255 where kraft itself failed; a summary on stderr names what failed.
 */
export async function fanOut(
  places: readonly Place[],
  lineOf: (place: Place) => string,
  { flags, report, spread }: Session,
): Promise<ExitCode> {
  if (places.length > 1) refuseInput()
  const { runMany } = await import('../engine/ssh/run-many.js')
  const members = names(places).map((label, index) => ({ label, place: places[index] }))
  const outcomes = await runMany(
    members.flatMap(({ label, place }) =>
      place === undefined ? [] : [{ label, connection: place.node.connection, command: lineOf(place) }],
    ),
    { keep: flags.json, ...(spread?.parallel === undefined ? {} : { parallel: spread.parallel }) },
  )
  const failed = outcomes.filter(({ code }) => code !== 0)
  const code = Math.max(0, ...outcomes.map((outcome) => outcome.code))
  if (places.length > 1 && failed.length > 0) report.note(summary(outcomes, failed))
  if (!flags.json) return new ExitCode(code)
  // What a command prints is the result itself, as without --json.
  const data = outcomes.map(({ label, error, ...ended }) => ({
    node: label,
    ...ended,
    ...(error === undefined ? {} : { error: errorData(error) }),
  }))
  return new ExitCode(code, data)
}

// Two instances on one node are told apart by their environment.
function names(places: readonly Place[]): readonly string[] {
  const plain = places.map(({ node }) => node.name)
  return places.map(({ target, node }) => {
    const twice = plain.filter((name) => name === node.name).length > 1
    return twice ? `${target.word}/${node.name}` : node.name
  })
}

function summary(outcomes: readonly Outcome[], failed: readonly Outcome[]): string {
  const color = hasColors(process.stderr)
  const errors = failed.flatMap(({ error }) => (error === undefined ? [] : [printError(error, { debug: false, color })]))
  const each = failed.map(({ label, code, error }) => `${label} (${error === undefined ? `code ${code}` : 'not run'})`)
  return redact(`${errors.join('')}${failed.length} of ${outcomes.length} failed: ${each.join(', ')}`)
}

// One input can't be read by several; a file that is given on purpose must not vanish in silence.
function refuseInput(): void {
  const input = fstatSync(0)
  if (!input.isFile() || input.size === 0) return
  throw new KraftError({
    kind: 'usage',
    message: 'Several nodes cannot share one input',
    next: 'Run it on one node after the other, for example: for node in a b; do kraft run:$node -- COMMAND < FILE; done',
  })
}
