import { KraftError } from '../engine/errors/failure.js'

/** Variables by name; bytes, because a value need not be text. */
export type Variables = ReadonlyMap<string, Buffer>

/**
 * Variables as `NAME='value'`, each in quotes: data that a shell can read and in which nothing can be anything else.
 *
 * @example writeAssignments(new Map([['A', Buffer.from("it's")]])).toString() // "A='it'\\''s'\n"
 */
export function writeAssignments(variables: Variables): Buffer {
  // latin1 keeps each byte as it is.
  const rows = [...variables].map(([name, value]) => `${name}='${value.toString('latin1').replaceAll("'", "'\\''")}'\n`)
  return Buffer.from(rows.join(''), 'latin1')
}

/**
 * Reads what {@link writeAssignments} wrote, and nothing else.
 *
 * @throws KraftError `task` that names the line of the first thing that is no such assignment.
 */
export function readAssignments(file: Buffer, name: string): Variables {
  const text = file.toString('latin1')
  const found = new Map<string, Buffer>()
  const assignment = /([A-Za-z_][A-Za-z0-9_]*)='((?:[^']|'\\'')*)'\n/y
  while (assignment.lastIndex < text.length) {
    const at = assignment.lastIndex
    const [, variable, value] = assignment.exec(text) ?? []
    if (variable === undefined || value === undefined) {
      throw new KraftError({
        kind: 'task',
        message: `Line ${text.slice(0, at).split('\n').length} of ${name} is not NAME='value'`,
        next: 'Mend it by hand, as root on the node',
      })
    }
    found.set(variable, Buffer.from(value.replaceAll("'\\''", "'"), 'latin1'))
  }
  return found
}
