import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { foldersUp } from './nearest-kraftfile.js'

const names = {
  'kraftwerk.yaml': /^kraftwerk\.ya?ml$/i,
  'kraftfile.ts': /^kraftfile\.(?:[cm]?[jt]sx?|py)$/i,
} as const

/**
 * Throws `setting` for a file that is nearly called like one that kraft reads, in a folder or above it. Ask where none of the right name
 * was found.
 */
export function refuseMisnamed(from: string, right: keyof typeof names): void {
  for (const folder of foldersUp(from)) {
    const wrong = filesIn(folder).find((file) => names[right].test(file))
    if (wrong === undefined) continue
    throw new KraftError({
      kind: 'setting',
      place: { file: join(folder, wrong), line: 1, column: 1 },
      message: `kraft does not read a file of this name, only ${right}`,
      next: `mv ${join(folder, wrong)} ${join(folder, right)}`,
    })
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // What can't be listed has no file that somebody meant for kraft.
    return []
  }
}
