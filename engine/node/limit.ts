import { fitsWildcard } from '../config/wildcard.js'
import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'

/** What `--limit` means, for the help of a task. */
export const limitHelp = 'only these nodes of the target: names or patterns, as in web1,db*'

/**
 * Which nodes `--limit` leaves: those that have one of its names or patterns, all where it names none. `where` follows "fits no node" in
 * the error.
 *
 * @throws KraftError `usage` for a name or a pattern that fits none of `names`.
 * @example names.filter(limitTo(['web*,db1'], names, 'of live'))
 */
export function limitTo(limit: readonly string[], names: readonly string[], where: string): (name: string) => boolean {
  const patterns = limit
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (patterns.length === 0) return () => true
  const unknown = patterns.find((pattern) => !names.some((name) => fitsWildcard(pattern, name)))
  if (unknown !== undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `--limit "${unknown}" fits no node ${where}.${didYouMean(unknown, names)}`,
      next: `Its nodes: ${[...new Set(names)].join(', ')}`,
    })
  }
  return (name) => patterns.some((pattern) => fitsWildcard(pattern, name))
}
