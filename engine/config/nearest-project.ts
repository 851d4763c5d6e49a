import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The nearest kraftwerk.yaml at or above a folder. */
export function nearestProjectFile(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const file = join(folder, 'kraftwerk.yaml')
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return undefined
  }
}
