import { isCI } from '../report/abilities.js'
import { isResult } from '../task/result.js'
import type { Arguments } from './parse.js'
import type { Finished } from './show-results.js'

/**
 * Prints the command that most people call next, one line for a person at a terminal. Several targets whose ways part get none.
 * A plan has changed nothing that a next command could build on.
 */
export function showNext(finished: readonly Finished[], globals: Arguments['globals'], isTerminal = atTerminal()): void {
  const { quiet, json, events } = globals
  if (!isTerminal || quiet || json || events || globals['dry-run']) return
  const hints = new Set(finished.map(({ result }) => (isResult(result) ? result.next : undefined)))
  const [next] = hints
  if (next !== undefined && hints.size === 1) process.stderr.write(`Next: ${next}\n`)
}

function atTerminal(): boolean {
  return process.stderr.isTTY === true && process.stdout.isTTY === true && !isCI()
}
