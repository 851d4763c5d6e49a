import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import type { Detector } from './detect/finding.js'

/** What a framework looks at to tell whether a project is its own. */
export interface Candidate {
  /** The folder with kraftwerk.yaml. */
  readonly folder: string
  /** Names of what the project requires itself, as PyPI normalises them: `dj-database-url`. */
  readonly requires: ReadonlySet<string>
  /** The text of a file of the project, looked for in its folder and then in `src`; undefined if there is none. */
  read(path: string): string | undefined
}

/**
 * What kraft knows of a Python web framework. One file in recipes/frameworks/ exports `framework`, named like the file.
 *
 * @example export const framework = defineFramework({ name: 'bottle', doc: 'Bottle', detect: ({ requires }) => requires.has('bottle'), … })
 */
export interface Framework {
  readonly name: string
  /** One line for help and the docs. */
  readonly doc: string
  /** Asked only after all others: it takes whatever is left. */
  readonly fallback?: boolean
  detect(project: Candidate): boolean
  /** What its own files say of a project for kraftwerk.yaml, for `kraft init` in a folder that is there. */
  readonly inspect?: Detector
  /** What the program needs in its environment; `wsgi` is the setting, `module.module:callable`. */
  environ(project: Candidate, wsgi: string): Readonly<Record<string, string>>
  /** The release command of a project that names none (`release:`), run once per deploy as the instance's user. */
  readonly release?: string
  /**
   * A command that tells what the release command is about to change, and what the framework finds unwise: lines
   * `kraft-migration APP NAME reversible|irreversible` and `kraft-check TEXT`. It changes nothing.
   */
  readonly foretell?: string
  /** One line of shell that prepares a release's files, run as the instance's user in the release, virtualenv first on PATH. */
  readonly build?: string
  /**
   * One line of shell that creates the accounts of `superusers:`, run as the instance's user in the release. It reads a list of
   * `{ username, email, password }` in JSON, leaves alone who is there already, and prints `created USERNAME` for each that it made.
   */
  readonly superusers?: string
  /** The folder in templates/skeleton/ that `kraft init` writes. */
  readonly skeleton: string
}

/** Gives a framework its type. */
export function defineFramework(framework: Framework): Framework {
  return framework
}

/**
 * A project as frameworks see it. `src` is the setting of that name: a folder of the project that holds its packages.
 *
 * @example candidate({ folder: '/home/me/shop', requires: requiredNames(requirements.text) })
 */
export function candidate(given: { folder: string; src?: string | undefined; requires: ReadonlySet<string> }): Candidate {
  const { folder, src, requires } = given
  return {
    folder,
    requires,
    read: (path) => readIfThere(join(folder, path)) ?? (src === undefined ? undefined : readIfThere(join(folder, src, path))),
  }
}

/**
 * The framework of a project: the first by name that recognises it, those that take anything last. Throws a KraftError where
 * none does, which happens only if the fallback is missing.
 */
export function detectFramework(frameworks: readonly Framework[], project: Candidate): Framework {
  const asked = frameworks.toSorted((one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1))
  const found = asked.find((framework) => framework.detect(project))
  if (found === undefined) {
    throw new KraftError({ kind: 'task', message: `No framework of kraft recognises the project in ${project.folder}` })
  }
  return found
}

function rank(framework: Framework): number {
  return framework.fallback === true ? 1 : 0
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String(error.code)))
      return undefined
    throw error
  }
}
