import { redact, redactData } from '../shell/redact.js'
import { isExitCode, isResult } from '../task/result.js'
import type { Session } from '../task/session.js'
import { notShown } from '../task/shown-once.js'

/** What a task handed back for one target. */
export interface Finished {
  /** The word behind the colon. */
  readonly target: string
  readonly result: unknown
}

/** What was printed, and the exit code that a passed-through command had. */
export interface Shown {
  readonly code: number
  readonly printed: string
}

/**
 * Prints results on stdout. With `json` it is one document: the
 * task's data, null where it has none; of several targets a list of `{ target, data }`.
 */
export function showResults(
  finished: readonly Finished[],
  { json, several }: { readonly json: boolean; readonly several: boolean },
): Shown {
  let printed = ''
  const print = (text: string) => {
    printed += `${text}\n`
    process.stdout.write(`${text}\n`)
  }
  const codes = finished.flatMap(({ result }) => (isExitCode(result) || isResult(result) ? [result.code] : []))
  const silent = finished.some(({ result }) => isExitCode(result) && result.data === undefined)
  if (json && !silent) {
    const all = finished.map(({ target, result }) => ({ target, data: dataOf(result) }))
    print(JSON.stringify(several ? all : (all[0]?.data ?? null), null, 2))
  } else if (!json) {
    const texts = finished.flatMap(({ result }) => (isResult(result) ? [result] : []))
    for (const { text, revealed } of texts) if (text !== '') print(revealed ? text : redact(text))
  }
  return { code: codes.find((code) => code !== 0) ?? 0, printed }
}

function dataOf(result: unknown): unknown {
  if (isExitCode(result)) return result.data
  if (!isResult(result)) return null
  return (result.revealed ? result.data : redactData(result.data)) ?? null
}

/**
 * Prints what no result has shown and nobody can ask for again: on stdout as a result would be or, where that is one document, on
 * stderr.
 */
export function showRest(session: Session, printed: string, events: boolean): void {
  const { json } = session.flags
  for (const text of notShown(session, printed)) {
    if (!json) process.stdout.write(`${text}\n`)
    else process.stderr.write(events ? `${JSON.stringify({ event: 'note', text })}\n` : `${text}\n`)
  }
}
