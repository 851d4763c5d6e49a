import { redact, redactData } from '../shell/redact.js'
import { isExitCode, isResult } from '../task/result.js'

/** What a task handed back for one target. */
export interface Finished {
  /** The word behind the colon. */
  readonly target: string
  readonly result: unknown
}

/**
 * Prints results on stdout and returns the exit code that a passed-through command had. With `json` it is one document: the
 * task's data, null where it has none; of several targets a list of `{ target, data }`.
 */
export function showResults(
  finished: readonly Finished[],
  { json, several }: { readonly json: boolean; readonly several: boolean },
): number {
  const codes = finished.flatMap(({ result }) => (isExitCode(result) || isResult(result) ? [result.code] : []))
  const silent = finished.some(({ result }) => isExitCode(result) && result.data === undefined)
  if (json && !silent) {
    const all = finished.map(({ target, result }) => ({ target, data: dataOf(result) }))
    process.stdout.write(`${JSON.stringify(several ? all : (all[0]?.data ?? null), null, 2)}\n`)
  } else if (!json) {
    const texts = finished.flatMap(({ result }) => (isResult(result) ? [result] : []))
    for (const { text, revealed } of texts) if (text !== '') process.stdout.write(`${revealed ? text : redact(text)}\n`)
    const next = texts.at(-1)?.next
    if (next !== undefined && process.stderr.isTTY === true) process.stderr.write(`Next: ${next}\n`)
  }
  return codes.find((code) => code !== 0) ?? 0
}

function dataOf(result: unknown): unknown {
  if (isExitCode(result)) return result.data
  if (!isResult(result)) return null
  return (result.revealed ? result.data : redactData(result.data)) ?? null
}
