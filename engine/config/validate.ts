import * as v from 'valibot'
import { KraftError, type Place } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { register } from '../shell/redact.js'
import type { Key, Section } from './section.js'
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
  const [first, ...more] = [...problems].sort(byPlace)
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
      problems: [{ message: `${within || 'This file '}should be a map of keys to values`, place: file.place(path) }],
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
    else problems.push(...result.issues.map((issue) => wrongValue(issue, file, [...path, key], entry)))
  }
  return { values, problems }
}

function mapAt(file: YamlFile, path: YamlPath): Readonly<Record<string, unknown>> | undefined {
  let value = file.value
  for (const part of path) value = below(value, part)
  // `stage:` with nothing behind it is an empty map to people.
  if (value === null || value === undefined) return {}
  return isMap(value) ? value : undefined
}

function below(value: unknown, part: string | number): unknown {
  if (Array.isArray(value)) return typeof part === 'number' ? value[part] : undefined
  return isMap(value) && Object.hasOwn(value, part) ? value[part] : undefined
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function byPlace(a: Problem, b: Problem): number {
  const order = Number(a.missing ?? false) - Number(b.missing ?? false)
  return order || (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0)
}

function unknownKey(key: string, section: Section, place: Place): Problem {
  const known = Object.keys(section)
  const next = known.length === 0 ? 'It has no settings: leave them out' : `Known here: ${known.join(', ')}`
  return { message: `Unknown key "${key}".${didYouMean(key, known)}`, place, next }
}

function wrongValue(issue: v.BaseIssue<unknown>, file: YamlFile, path: YamlPath, key: Key): Problem {
  const steps = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)))
  const full = [...path, ...steps]
  const ofKey = issue.path?.at(-1)?.origin === 'key'
  const quiet = key.quiet !== undefined && steps.length >= key.quiet
  // Whoever writes NAME=VALUE into a map has written a key that holds the value.
  const word = quiet ? String(issue.input).replace(/=.*/s, '=…') : issue.input
  const name = ofKey ? `The key ${shown(word)} in "${full.slice(0, -1).join('.')}"` : named(full)
  const message = describe(issue, name, ofKey || key.secret === true || quiet)
  return { message, place: file.place(full, ofKey ? 'key' : 'value'), ...example(String(path.at(-1)), key) }
}

// People count from one, and `services.0` is how no file says it.
function named(path: YamlPath): string {
  const last = path.at(-1)
  return typeof last === 'number' ? `Item ${last + 1} of "${path.slice(0, -1).join('.')}"` : `"${path.join('.')}"`
}

/**
 * What was expected and what came, in words: `"workers" should be a number, not "four"`. With `quiet` it does not repeat what
 * came, because that is a secret or was said already.
 */
export function describe(issue: v.BaseIssue<unknown>, name: string, quiet = false): string {
  const came = quiet ? '' : `, not ${shown(issue.input)}`
  // A message of our own schemas says what is right, as the end of a sentence or as a whole one; valibot's begin with "Invalid".
  if (/^(?!Invalid )\p{Lu}/u.test(issue.message)) return `${name}${came.replace(/^, not/, ' cannot be')}: ${issue.message}`
  if (!issue.message.startsWith('Invalid ')) return `${name} should be ${issue.message}${came}`
  const wanted = issue.expected ?? ''
  if (issue.kind === 'validation') {
    const bound = bounds[issue.type]
    if (bound !== undefined) return `${name} should be ${bound} ${wanted.replace(/^[<>]=?/, '')}${came}`
    if (issue.type === 'integer') return `${name} should be a whole number${came}`
  }
  const choices = [...wanted.matchAll(/"([^"]*)"/g)].flatMap(([, choice]) => choice ?? [])
  const hint = typeof issue.input === 'string' ? didYouMean(issue.input, choices) : ''
  return `${name} should be ${inWords(wanted)}${came}${hint === '' ? '' : `.${hint}`}`
}

const bounds: Readonly<Record<string, string>> = {
  min_value: 'at least',
  max_value: 'at most',
  gt_value: 'more than',
  lt_value: 'less than',
  min_length: 'at least as long as',
  max_length: 'at most as long as',
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'a map',
  null: 'nothing',
  never: 'left out',
}

function inWords(expected: string): string {
  const parts = expected
    .replace(/^\((.*)\)$/, '$1')
    .split(' | ')
    .map((part) => words[part] ?? part.replace(/^"(.*)"$/, '$1'))
  return parts.length > 2 ? `one of ${parts.join(', ')}` : parts.join(' or ')
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  return typeof value === 'number' ? `the number ${value}` : String(value)
}

function example(name: string, key: Key): { next?: string } {
  return key.example === undefined ? {} : { next: `For example: ${name}: ${JSON.stringify(key.example)}` }
}
