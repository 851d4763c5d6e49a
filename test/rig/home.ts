import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { isKraftError } from '../../engine/errors/failure.js'

/** A home of its own for each test, with a project folder in it. */
export interface Home {
  readonly home: string
  readonly project: string
  /** Writes a file below the home, with the folders above it; gives its path. */
  write(path: string, text: string): Promise<string>
}

/** Gives every test of a file a fresh HOME, and puts everything back after it. */
export function freshHome(): Home {
  const current = { home: '', project: '', write }
  const kept = { ...process.env }

  async function write(path: string, text: string): Promise<string> {
    const file = join(current.home, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    return file
  }

  beforeEach(async () => {
    current.home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-home-')))
    current.project = join(current.home, 'calculator')
    await mkdir(current.project)
    process.env.HOME = current.home
    delete process.env.XDG_CACHE_HOME
    for (const name of Object.keys(process.env)) if (name.startsWith('KRAFT_')) delete process.env[name]
  })
  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(kept, name)) delete process.env[name]
    Object.assign(process.env, kept)
    await rm(current.home, { recursive: true, force: true })
  })
  return current
}

/** The failure that a promise ends with; throws where it ends well or with something else. */
export async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isKraftError(error)) throw new TypeError('A KraftError was expected', { cause: error })
  return error.failure
}

/** The same for a setting: its place as `line:column` and its message. */
export async function settingError(promise: Promise<unknown>) {
  const failure = await failureOf(promise)
  if (failure.kind !== 'setting') throw new TypeError(`A setting's failure was expected, not ${failure.kind}`)
  const { line, column, file } = failure.place
  return { at: line === undefined ? '' : `${line}:${column}`, file, message: failure.message, next: failure.next ?? '' }
}
