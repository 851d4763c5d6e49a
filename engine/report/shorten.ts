import { stripVTControlCharacters } from 'node:util'
import truncatedWidth from 'fast-string-truncated-width'

/** The signs that tell how far a line of the list is. */
export interface Signs {
  readonly waiting: string
  readonly done: readonly string[]
  /** Before what a running step says. */
  readonly output?: string
  readonly failed?: string
}

interface Row {
  readonly text: string
  readonly index: number
  readonly level: number
  readonly kind: 'waiting' | 'done' | 'output' | 'failed' | 'other'
}

/**
 * Makes a list fit into so many lines: what waits goes first, deepest and last first, then what is done, deepest and first
 * first, then what running steps say, and of what runs at last the deepest; what failed stays, with what it is part of. A line
 * says how many are left out.
 */
export function shorten(lines: readonly string[], height: number, signs: Signs): readonly string[] {
  if (lines.length <= height) return lines
  const read = lines.map((text, index): Row => ({ text, index, ...readLine(text, signs) }))
  // Below what waits nothing stands: where something does, it runs, whatever sign listr2 gives it behind a failure.
  const runs = ({ kind, index, level }: Row) => kind === 'waiting' && (read[index + 1]?.level ?? 0) > level
  const rows = read.map((row): Row => (runs(row) ? { ...row, kind: 'other' } : row))
  const kept = ofFailed(rows)
  const of = (kind: Row['kind'], order: (a: Row, b: Row) => number) =>
    rows.filter((row) => row.kind === kind && !kept.has(row)).sort((a, b) => b.level - a.level || order(a, b))
  const first = (a: Row, b: Row) => a.index - b.index
  const last = (a: Row, b: Row) => b.index - a.index
  const going = [...of('waiting', last), ...of('done', first), ...of('output', first), ...of('other', last)]
  // One more than is over, for the line that says so.
  const out = new Set(going.slice(0, lines.length - height + 1))
  const [top] = [...out].sort(first)
  if (top === undefined) return lines.slice(-height)
  const fitting = rows.flatMap((row) => {
    if (row === top) return [`${' '.repeat(row.level)}⋮ ${out.size} more`]
    return out.has(row) ? [] : [row.text]
  })
  return fitting.slice(-height)
}

/** What failed, and the lines above that it belongs to. */
function ofFailed(rows: readonly Row[]): ReadonlySet<Row> {
  const kept = new Set<Row>()
  for (const failed of rows.filter(({ kind }) => kind === 'failed')) {
    kept.add(failed)
    let level = failed.level
    for (const row of rows.slice(0, failed.index).reverse()) {
      if (row.level >= level) continue
      kept.add(row)
      level = row.level
    }
  }
  return kept
}

function readLine(text: string, signs: Signs): Pick<Row, 'level' | 'kind'> {
  const plain = stripVTControlCharacters(text)
  const start = plain.trimStart()
  const begins = (sign: string | undefined) => sign !== undefined && start.startsWith(sign)
  const kind = begins(signs.waiting)
    ? 'waiting'
    : signs.done.some(begins)
      ? 'done'
      : begins(signs.output)
        ? 'output'
        : begins(signs.failed)
          ? 'failed'
          : 'other'
  return { level: plain.length - start.length, kind }
}

/** Cuts text to so many columns, so that a line never breaks: a broken one would spoil what is drawn over it. */
export function clip(text: string, width: number): string {
  const { index, truncated } = truncatedWidth(text, { limit: Math.max(1, width), ellipsis: '…' })
  return truncated ? `${text.slice(0, index)}…` : text
}

/** How many columns a line takes. */
export function widthOf(line: string): number {
  return truncatedWidth(line).width
}

/** A line as a terminal would leave it there: what a program writes over its own line counts last, and nothing moves the cursor. */
export function settled(line: string): string {
  const written = stripVTControlCharacters(line).trimEnd()
  const last = written.slice(written.lastIndexOf('\r') + 1)
  return last.replaceAll('\t', '  ').replaceAll(/\p{Cc}/gu, '')
}
