import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** What a kraftfile may be called; where a folder has several, the first counts. */
export const kraftfileNames: readonly string[] = ['kraftfile.ts', 'kraftfile.mts', 'kraftfile.js', 'kraftfile.mjs']

/** The nearest kraftfile at or above a folder, not beyond the git root or home. */
export function nearestKraftfile(from: string): string | undefined {
  for (const folder of foldersUp(from)) {
    const found = kraftfileNames.map((name) => join(folder, name)).find((file) => existsSync(file))
    if (found !== undefined) return found
  }
  return undefined
}

/** A folder and those above it, not beyond the git root or home. */
export function* foldersUp(from: string): Generator<string> {
  const home = resolve(homedir())
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    yield folder
    if (folder === home || folder === dirname(folder) || existsSync(join(folder, '.git'))) return
  }
}
