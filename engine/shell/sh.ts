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
 * @example sh`install -d -o ${user} ${paths}`.text // install -d -o web '/web/a b' /web/c
 */
export function sh(pieces: TemplateStringsArray, ...values: readonly ShValue[]): Sh {
  let text = shell(pieces.raw[0])
  values.forEach((value, index) => {
    text += word(value) + shell(pieces.raw[index + 1])
  })
  return new Sh(dedent(text))
}

// Backslashes are the shell's own, but for those that JavaScript wants before its two marks.
function shell(raw = ''): string {
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

/** Puts pieces of shell below each other. */
export function lines(...parts: readonly (Sh | undefined)[]): Sh {
  return new Sh(
    parts
      .filter((part) => part !== undefined)
      .map((part) => part.text)
      .join('\n'),
  )
}

// Recipes indent their scripts as they indent their code; the node should not see that.
function dedent(text: string): string {
  if (!text.startsWith('\n')) return text
  const rows = text
    .slice(1)
    .replace(/\n[ \t]*$/, '')
    .split('\n')
  const indent = Math.min(...rows.filter((row) => row.trim() !== '').map((row) => row.length - row.trimStart().length))
  return rows.map((row) => row.slice(indent)).join('\n')
}
