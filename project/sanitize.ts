import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import type { Instance } from './instance.js'

/** What makes a copy of another environment's data harmless. */
export interface Sanitizer {
  /** The command, or the file of SQL. */
  readonly name: string
  /** What the file holds; undefined for a command. */
  readonly sql?: string
}

/** What `sanitize:` names, with the files read. Throws `setting` where one can't be read, before any node is reached. */
export function readSanitizers({ settings, folder, project }: Instance): readonly Sanitizer[] {
  return settings.sanitize.map((name, index) => {
    if (!/^\S+\.sql$/.test(name)) return { name }
    try {
      return { name, sql: readFileSync(join(folder, name), 'utf8') }
    } catch (error) {
      throw new KraftError(
        { kind: 'setting', place: project.place(['sanitize', index]), message: `There is no ${name} in the project` },
        error,
      )
    }
  })
}
