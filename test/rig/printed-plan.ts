import { createHash } from 'node:crypto'

/** What a dry run printed, read from its text alone. */
export interface PrintedPlan {
  /** The scripts, byte for byte. */
  readonly scripts: readonly string[]
  /** For each step of the one script how its line ended: `changes` and `maybe` are what a run would take. */
  readonly said: ReadonlyMap<string, string>
}

/** Reads what `--dry-run --debug` prints; throws where a script is not of the hash that is printed with it. */
export function readPlan(text: string): PrintedPlan {
  const framed = [...text.matchAll(/^----- script for .* \(sha256 ([0-9a-f]{64})\)\n([\s\S]*?)^----- end of \1$/gm)]
  const scripts = framed.map(([, hash, script = '']) => {
    if (createHash('sha256').update(script).digest('hex') !== hash) throw new Error(`A printed script is not ${hash}`)
    return script
  })
  const last = framed.at(-1)
  const rest = last === undefined ? text : text.slice(last.index + last[0].length)
  const rows = [...rest.matchAll(/^ *([*-]) (.*?)(?: \((would change|would run|maybe|[^()]*)\))?$/gm)]
  return { scripts, said: new Map(rows.map(([, sign, title = '', mark = 'ok']) => [title, sign === '-' ? 'skipped' : mark])) }
}

/** The parts of a printed script that change things, by number of the step: what stands in its here-documents. */
export function partsOf(script: string, part: 'check' | 'apply'): ReadonlyMap<number, string> {
  const found = script.matchAll(
    new RegExp(`^kraft_begin (\\d+) |^kraft_${part}(?: .*)? <<'(KRAFT_\\w+)'\\n([\\s\\S]*?)^\\2$`, 'gm'),
  )
  const parts = new Map<number, string>()
  let step = -1
  for (const [, begun, , text] of found) {
    if (begun !== undefined) step = Number(begun)
    if (text !== undefined) parts.set(step, text)
  }
  return parts
}
