import type { Place } from '../errors/failure.js'

/** The place of an offset into the text of a file. */
export function placeAt(file: string, text: string, at: number): Place {
  const before = text.slice(0, at).split('\n')
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
