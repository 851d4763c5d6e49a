import { hasColors } from '../../engine/report/abilities.js'
import type { Examined } from './examine.js'

const width = 'warning  '.length

/** What was examined, as a person reads it: a line for each thing that is well, for each finding what it is and what to do. */
export function describeExamined(examined: readonly Examined[], columns = columnsHere(), color = colorHere()): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
  const row = (word: string, code: number, text: string) =>
    wrapped(text, columns - width).map(
      (line, index) => (index === 0 ? paint(code, word.padEnd(width)) : ' '.repeat(width)) + line,
    )
  const rows = examined.flatMap(({ about, said, findings }) =>
    findings.length === 0
      ? row('ok', 32, `${about}: ${said}`)
      : findings.flatMap(({ level, what, next }) => [
          ...row(level, level === 'error' ? 31 : 33, `${about}: ${what}`),
          ...row('', 0, `Next: ${next}`),
        ]),
  )
  return [...rows, '', ending(examined.flatMap(({ findings }) => findings.map(({ level }) => level)))].join('\n')
}

function ending(levels: readonly string[]): string {
  const errors = levels.filter((level) => level === 'error').length
  const warnings = levels.length - errors
  if (levels.length === 0) return 'All is well'
  const hand = errors === 0 ? 'Nothing needs a hand' : `${errors} ${errors === 1 ? 'thing needs' : 'things need'} a hand`
  return warnings === 0 ? hand : `${hand}; ${warnings} warning${warnings === 1 ? '' : 's'}`
}

/** Lines between words, none longer than so many characters where that can be had; commands stay whole in a pipe. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function columnsHere(): number {
  return process.stdout.isTTY === true ? Math.max(process.stdout.columns, 40) : Number.POSITIVE_INFINITY
}

function colorHere(): boolean {
  return hasColors(process.stdout)
}
