/**
 * A line of a unified diff in the colours that git has for it; other lines stay as they are.
 *
 * @example paintDiff('+workers 4') // green
 */
export function paintDiff(line: string): string {
  const code = codeOf(line)
  return code === undefined ? line : `\x1b[${code}m${line}\x1b[0m`
}

function codeOf(line: string): number | undefined {
  if (/^(\+\+\+|---) /.test(line)) return 1
  if (line.startsWith('+')) return 32
  if (line.startsWith('-')) return 31
  return line.startsWith('@@') ? 36 : undefined
}
