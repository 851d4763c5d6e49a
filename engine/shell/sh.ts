/** Text of POSIX shell whose every interpolated value is quoted, by construction. Made by {@link sh}, never from a string. */
export class Sh {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text
  }
}

/** What may stand in a `${…}` of {@link sh}: values are quoted, lists become several words, {@link Sh} goes in as it is. */
export type ShValue = string | number | Sh | readonly (string | number | Sh)[]

/**
 * Shell text for the node, in POSIX sh (dash is Debian's): each `${value}` becomes one quoted word, a list several.
 *
 * @example sh`install -d -o ${'web'} ${['/web/a b', '/web/c']}`.text // install -d -o web '/web/a b' /web/c
 */
export function sh(pieces: TemplateStringsArray, ...values: readonly ShValue[]): Sh {
  const [first = '', ...others] = dedent(pieces.raw.map(shell))
  return new Sh(others.reduce((text, piece, index) => text + word(values[index] ?? '') + piece, first))
}

// Backslashes are the shell's own, but for those that JavaScript wants before its two marks.
function shell(raw: string): string {
  return raw.replaceAll('\\${', '${').replaceAll('\\`', '`')
}

function word(value: ShValue): string {
  if (value instanceof Sh) return value.text
  if (Array.isArray(value)) return value.map((each) => word(each as ShValue)).join(' ')
  return quote(String(value))
}

/** Quotes one word the POSIX way; plain words stay as they are, so that printed scripts read well. */
export function quote(value: string): string {
  if (value.includes('\0')) throw new TypeError('A shell word cannot hold a NUL byte')
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}

/**
 * Puts pieces of shell below each other; those that are undefined are left out.
 *
 * @example lines(sh`umask 077`, sh`mkdir -p ${project.folder}`)
 */
export function lines(...parts: readonly (Sh | undefined)[]): Sh {
  return new Sh(
    parts
      .filter((part) => part !== undefined)
      .map((part) => part.text)
      .join('\n'),
  )
}

// Recipes indent their scripts as they indent their code; the node should not see that. Only what the recipe wrote is moved,
// never a value: its line breaks and blanks are its own.
function dedent(pieces: readonly string[]): readonly string[] {
  if (pieces[0]?.startsWith('\n') !== true) return pieces
  const margins = pieces.flatMap((piece) => [...piece.matchAll(/\n([ \t]*)(?=[^ \t\n]|$)/g)].map((match) => match[1] ?? ''))
  // The last margin is that of the closing mark, where there is one; blank lines have no say.
  const closing = /\n[ \t]*$/.test(pieces.at(-1) ?? '')
  const widths = (closing ? margins.slice(0, -1) : margins).map((margin) => margin.length)
  const indent = new RegExp(`\\n[ \\t]{0,${widths.length === 0 ? 0 : Math.min(...widths)}}`, 'g')
  const moved = pieces.map((piece) => piece.replace(indent, '\n'))
  return moved.map((piece, index) => {
    const tail = index === moved.length - 1 ? piece.replace(/\n[ \t]*$/, '') : piece
    return index === 0 ? tail.slice(1) : tail
  })
}
