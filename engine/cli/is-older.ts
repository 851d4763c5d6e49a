/**
 * Whether a version is older than the least that is wanted, as package.json says it.
 *
 * @example isOlder('18.19.0', '>=20.19') // true
 */
export function isOlder(version: string, wanted: string): boolean {
  const [have, need] = [version, leastOf(wanted)].map((text) => text.split('.').map(Number))
  for (const [index, number] of (need ?? []).entries()) {
    const own = have?.[index] ?? 0
    if (own !== number) return own < number
  }
  return false
}

/** The least version of a range like `>=20.19`. */
export function leastOf(wanted: string): string {
  return /\d+(\.\d+)*/.exec(wanted)?.[0] ?? '0'
}
