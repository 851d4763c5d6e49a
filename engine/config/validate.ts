import * as v from 'valibot'
import { KraftError, type Place } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { register } from '../shell/redact.js'
import type { Section } from './section.js'
import { isMap, valueAt } from './value-at.js'
import { example, wrongValue } from './wrong-value.js'
import type { YamlFile, YamlPath } from './yaml.js'

/** The values of a section after validation: what each schema puts out. */
export type Values<S extends Section> = { readonly [K in keyof S]: v.InferOutput<S[K]['schema']> }

/** One mistake and where it stands. */
export interface Problem {
  readonly message: string
  readonly place: Place
  readonly next?: string
  /** The key is not there at all: most likely it is one that was misspelt, so those are shown first. */
  readonly missing?: true
  /** The key that is not known there. */
  readonly unknown?: string
}

/** What validation found: `values` counts only where there are no problems. */
export interface Checked<T> {
  readonly values: T
  readonly problems: readonly Problem[]
}

/**
 * Validates the map at `path` of a file: unknown keys, wrong values, missing ones, each with its place. Throws the first in
 * the order of the file as a KraftError `setting`, which says how many more there are.
 *
 * Whoever has a {@link Section} has valibot loaded already, so this imports it plainly; import this file lazily.
 *
 * @example const settings = validate({ workers: { schema: v.optional(v.number(), 2), doc: '…' } }, await readYaml(file))
 */
export function validate<S extends Section>(section: S, file: YamlFile, path: YamlPath = []): Values<S> {
  const { values, problems } = check(section, file, path)
  refuse(problems)
  return values
}

/** The same without throwing, for callers that collect the problems of several parts of a file. */
export function check<S extends Section>(section: S, file: YamlFile, path: YamlPath = []): Checked<Values<S>> {
  return run(section, file, path, Object.keys(section)) as Checked<Values<S>>
}

/** The same for a layer of settings: only the keys that are there, no defaults, nothing missing. */
export function checkLayer<S extends Section>(section: S, file: YamlFile, path: YamlPath = []): Checked<Partial<Values<S>>> {
  const map = mapAt(file, path)
  return run(section, file, path, Object.keys(map ?? {})) as Checked<Partial<Values<S>>>
}

/** Throws the first problem in the order of the file, if there is any. */
export function refuse(problems: readonly Problem[]): void {
  const [first, ...more] = [...new Map(problems.map((each) => [JSON.stringify(each), each])).values()].sort(byPlace)
  if (first === undefined) return
  const others =
    more.length === 0 ? '' : ` (and ${more.length} more ${more.length === 1 ? 'mistake' : 'mistakes'} in the settings)`
  throw new KraftError({
    kind: 'setting',
    message: first.message + others,
    place: first.place,
    ...(first.next === undefined ? {} : { next: first.next }),
  })
}

function run(section: Section, file: YamlFile, path: YamlPath, keys: readonly string[]): Checked<Record<string, unknown>> {
  const map = mapAt(file, path)
  const within = path.length === 0 ? '' : `"${path.join('.')}" `
  if (map === undefined) {
    return {
      values: {},
      problems: [
        {
          message: `${within || 'This file '}should be a map of keys to values`,
          place: file.place(path),
          next: 'Write each line as KEY: VALUE, without dashes before the keys',
        },
      ],
    }
  }
  const problems: Problem[] = []
  for (const key of Object.keys(map)) {
    if (!Object.hasOwn(section, key)) problems.push(unknownKey(key, section, file.place([...path, key], 'key')))
  }
  const values: Record<string, unknown> = {}
  for (const key of keys) {
    const entry = Object.hasOwn(section, key) ? section[key] : undefined
    if (entry === undefined) continue
    const there = Object.hasOwn(map, key)
    const given = there ? map[key] : undefined
    if (entry.secret === true && (typeof given === 'string' || typeof given === 'number')) register(String(given))
    const result = v.safeParse(entry.schema, given)
    if (result.success) values[key] = result.output
    else if (!there)
      problems.push({
        message: `"${[...path, key].join('.')}" is missing: ${entry.doc}`,
        missing: true,
        place: file.place(path),
        ...example(key, entry),
      })
    else problems.push(...result.issues.map((issue) => wrongValue(issue, file, [...path, key], entry, given)))
  }
  return { values, problems }
}

function mapAt(file: YamlFile, path: YamlPath): Readonly<Record<string, unknown>> | undefined {
  const value = valueAt(file.value, path)
  // `stage:` with nothing behind it is an empty map to people.
  if (value === null || value === undefined) return {}
  return isMap(value) ? value : undefined
}

function byPlace(a: Problem, b: Problem): number {
  const order = Number(a.missing ?? false) - Number(b.missing ?? false)
  return order || (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0)
}

function unknownKey(key: string, section: Section, place: Place): Problem {
  const known = Object.keys(section)
  const next = known.length === 0 ? 'It has no settings: leave them out' : `Known here: ${known.join(', ')}`
  return { message: `Unknown key "${key}".${didYouMean(key, known)}`, place, next, unknown: key }
}
