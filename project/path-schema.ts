import * as v from 'valibot'
import { sane, text } from './value-schema.js'

/** A path below the project. */
export const inside = v.pipe(
  text,
  v.transform((value) => value.replace(/^(\.\/+)+/, '').replace(/\/+$/, '')),
  sane((value) => {
    if (value.startsWith('/') || value.startsWith('~')) return 'a path inside the project'
    if (value === '' || value === '.') return 'a path below the project, not all of it'
    if (value.split('/').some((part) => part === '..' || part === '' || part === '.')) return 'a plain path with no ".." in it'
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through.
    return /[\x00-\x1f\x7f\\]/.test(value) ? 'a path of printable characters' : undefined
  }),
)

/** Paths of which none is inside another: what is made there is the application's to change, so root makes no link in it. */
export const apart = v.pipe(
  v.array(inside),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const outer = dataset.value.find((path) => dataset.value.some((other) => other.startsWith(`${path}/`)))
    if (outer !== undefined) addIssue({ message: `paths that are apart: "${outer}" holds another one of them already` })
  }),
)
