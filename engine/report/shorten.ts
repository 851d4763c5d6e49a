import { stripVTControlCharacters } from 'node:util'

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
  const rows = lines.map((text, index): Row => ({ text, index, ...read(text, signs) }))
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

function read(text: string, signs: Signs): Pick<Row, 'level' | 'kind'> {
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
