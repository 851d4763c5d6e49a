/** A statement of Python on one line, however many it stands on; comments are not in it. */
export interface Statement {
  readonly text: string
  /** From 1. */
  readonly line: number
  /** Characters before it; 0 at the top level of a module. */
  readonly indent: number
}

// In the order in which Python would see them: strings, comments, what continues a line, brackets, line ends.
const token =
  /("""|''')(?:\\[\s\S]|(?!\1)[\s\S])*(?:\1|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|#[^\n]*|\\\n|[([{]|[)\]}]|\n|[^"'#\\([{)\]}\n]+|\\/g

/**
 * The statements of a Python file, read without running it. It knows strings, comments and brackets, which is what a look at
 * settings needs.
 *
 * @example statements('A = [  # both\n  1,\n]\n')[0] // { text: 'A = [   1, ]', line: 1, indent: 0 }
 */
export function statements(source: string): readonly Statement[] {
  const found: Statement[] = []
  let text = ''
  let begun = 1
  let line = 1
  let depth = 0
  const end = () => {
    if (text.trim() !== '') found.push({ text: text.trim(), line: begun, indent: text.length - text.trimStart().length })
    text = ''
  }
  for (const [part] of source.replaceAll('\r\n', '\n').matchAll(token)) {
    if (text.trim() === '') begun = line
    if (part === '\n' && depth === 0) end()
    else if (part === '\n' || part === '\\\n') text += ' '
    else if (!part.startsWith('#')) text += part
    if (/^[([{]$/.test(part)) depth++
    if (/^[)\]}]$/.test(part)) depth = Math.max(0, depth - 1)
    line += part.split('\n').length - 1
  }
  end()
  return found
}

/** An assignment: the name, what is assigned as it is written, and its line. */
export interface Assignment {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** The assignment that a statement is, or undefined. An item of a dictionary counts as its dictionary: `DATABASES['default'] = …`. */
export function assignment({ text, line }: Statement): Assignment | undefined {
  const [, name, value] = /^([A-Za-z_]\w*)(?:\[["']\w+["']\])?\s*(?::[^=]+)?=(?!=)\s*([\s\S]+)$/.exec(text) ?? []
  return name === undefined || value === undefined ? undefined : { name, value, line }
}

/** The text of a plain string, or undefined for anything else. */
export function literal(value: string): string | undefined {
  return /^r?(["'])([^"'\\]*)\1$/.exec(value.trim())?.[2]
}

/** Names of variables of the environment that a piece of Python reads, in the usual ways: os.environ, getenv, env(…). */
export function variablesIn(text: string): readonly string[] {
  const read = /(?:environ(?:\.get\(|\.setdefault\(|\s*\[)|getenv\(|\benv(?:\.\w+)?\(|\bconfig\()\s*["']([A-Z][A-Z0-9_]*)["']/g
  return [...text.matchAll(read)].flatMap(([, name]) => name ?? [])
}
