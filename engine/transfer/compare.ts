import type { Manifest } from './manifest.js'

/** How a path of one tree is in another: new, gone, with other bytes, or with only another mode or kind. */
export interface Change {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed' | 'mode'
}

/**
 * What differs between two trees, by path.
 *
 * @example compareTrees(held.manifest, Manifest.of(files)) // [{ path: 'shop/views.py', change: 'changed' }]
 */
export function compareTrees(before: Manifest, after: Manifest): readonly Change[] {
  const [old, now] = [before, after].map(({ entries }) => new Map(entries.map((entry) => [entry.path, entry])))
  const changes: Change[] = []
  for (const [path, entry] of now ?? []) {
    const was = old?.get(path)
    if (was === undefined) changes.push({ path, change: 'added' })
    else if (was.hash !== entry.hash) changes.push({ path, change: 'changed' })
    else if (was.kind !== entry.kind) changes.push({ path, change: 'mode' })
  }
  for (const path of old?.keys() ?? []) if (now?.has(path) !== true) changes.push({ path, change: 'removed' })
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}
