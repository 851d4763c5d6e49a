import { stripVTControlCharacters } from 'node:util'

/** The signs that tell how far a line of the list is. */
export interface Signs {
  readonly waiting: string
  readonly done: readonly string[]
}

/**
 * Makes a list fit into so many lines: what waits goes first, deepest and last first, then what is done, deepest and first
 * first; what runs and what failed stays. A line says how many are left out.
 */
export function shorten(lines: readonly string[], height: number, signs: Signs): readonly string[] {
  if (lines.length <= height) return lines
  const rows = lines.map((text, index) => ({ text, index, ...read(text, signs) }))
  const waiting = rows.filter(({ kind }) => kind === 'waiting').sort((a, b) => b.level - a.level || b.index - a.index)
  const done = rows.filter(({ kind }) => kind === 'done').sort((a, b) => b.level - a.level || a.index - b.index)
  // One more than is over, for the line that says so.
  const out = new Set([...waiting, ...done].slice(0, lines.length - height + 1))
  const [first] = [...out].sort((a, b) => a.index - b.index)
  if (first === undefined) return lines
  return rows.flatMap((row) => {
    if (row === first) return [`${' '.repeat(row.level)}⋮ ${out.size} more`]
    return out.has(row) ? [] : [row.text]
  })
}

function read(text: string, signs: Signs): { level: number; kind: 'waiting' | 'done' | 'other' } {
  const plain = stripVTControlCharacters(text)
  const start = plain.trimStart()
  const kind = start.startsWith(signs.waiting) ? 'waiting' : signs.done.some((sign) => start.startsWith(sign)) ? 'done' : 'other'
  return { level: plain.length - start.length, kind }
}

/** Cuts text to a width, so that a line never breaks: a broken one would spoil what is drawn over it. */
export function clip(text: string, width: number): string {
  const letters = [...text]
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`
}
