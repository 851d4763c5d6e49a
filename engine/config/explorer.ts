import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { commonJs } from './common-js.js'

/** Reads the first of some file names in one folder: resolves to what the loader made of it, or undefined. */
export type Search<T> = (folder: string) => Promise<{ readonly file: string; readonly content: T } | undefined>

/**
 * cosmiconfig for one kind of file, looking in one folder at a time, without its surprises: settings of its own in the
 * current folder, files elsewhere, and errors that it takes for "no such file".
 */
export async function explorer<T>(
  names: readonly string[],
  load: (file: string, text: string) => Promise<T>,
): Promise<Search<T>> {
  const { cosmiconfig } = commonJs<typeof import('cosmiconfig')>('cosmiconfig')
  const extensions = new Set(names.map((name) => name.slice(name.lastIndexOf('.'))))
  const loader = async (file: string, text: string) => {
    try {
      return { content: await load(file, text) }
    } catch (error) {
      return { error }
    }
  }
  const found = withoutCurrentFolder(() =>
    cosmiconfig('kraftwerk', {
      searchPlaces: [...names],
      searchStrategy: 'none',
      ignoreEmptySearchPlaces: false,
      cache: false,
      loaders: Object.fromEntries([...extensions].map((extension) => [extension, loader])),
    }),
  )
  return async (folder) => {
    const result = await found.search(folder)
    if (result === null) {
      const unreadable = names.map((name) => join(folder, name)).find((file) => existsSync(file))
      if (unreadable === undefined) return undefined
      throw new KraftError({ kind: 'setting', message: 'This file cannot be read', place: { file: unreadable } })
    }
    // cosmiconfig does not call the loader for a file of nothing but white space.
    const outcome: { content: T } | { error: unknown } =
      result.isEmpty === true ? await loader(result.filepath, '') : result.config
    if ('error' in outcome) throw outcome.error
    return { file: result.filepath, content: outcome.content }
  }
}

/** cosmiconfig runs `.config/config.js` of the current folder while it is made: whoever owns /tmp would run code as us. */
function withoutCurrentFolder<T>(make: () => T): T {
  const { cwd } = process
  process.cwd = () => '/dev/null'
  try {
    return make()
  } finally {
    process.cwd = cwd
  }
}
