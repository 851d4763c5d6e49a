import { KraftError } from '../errors/failure.js'
import { isTask } from '../task/task.js'
import { placeAt } from './place-at.js'
import { tokens } from './tokens.js'

/** Throws `setting` for tasks in a default export, which have no name to be called by. */
export function refuseNameless(loaded: unknown, file: string, source: string): void {
  const found = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined
  // What CommonJS exports is its own default.
  if (typeof found !== 'object' || found === null || found === loaded) return
  const words = tokens(source).filter(({ kind }) => kind !== 'comment')
  const at = words.findIndex(({ text }, index) => text === 'export' && words[index + 1]?.text === 'default')
  if (at < 0 || !(isTask(found) || Object.values(found).some(isTask))) return
  throw new KraftError({
    kind: 'setting',
    place: placeAt(file, source, words[at]?.at ?? 0),
    message: 'A task is called by the name of its export, and a default export has none',
    next: 'Write it as: export const NAME = task({ … })',
  })
}
