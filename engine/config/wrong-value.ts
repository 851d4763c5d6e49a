import * as v from 'valibot'
import { didYouMean } from '../errors/nearest.js'
import { inYaml } from './in-yaml.js'
import { meant } from './meant.js'
import type { Key } from './section.js'
import type { Problem } from './validate.js'
import { replaced, valueAt } from './value-at.js'
import type { YamlFile, YamlPath } from './yaml.js'

/** The problem that valibot found with the value of a key: what was expected, what came, and what it may have meant. */
export function wrongValue(issue: v.BaseIssue<unknown>, file: YamlFile, path: YamlPath, key: Key, given: unknown): Problem {
  const list = (issue.path ?? []).findIndex((item) => item.type === 'object' && Array.isArray(item.input))
  // To valibot a list is a map with its indices as keys.
  if (list >= 0) return wrongValue(asMap(issue, list), file, path, key, given)
  const steps = (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)))
  const full = [...path, ...steps]
  const ofKey = issue.path?.at(-1)?.origin === 'key'
  const quiet = key.secret === true || (key.quiet !== undefined && steps.length >= key.quiet)
  const at = ofKey ? undefined : valueAt(given, steps)
  const written = typeof at === 'number' ? file.source(full) : undefined
  // Whoever writes NAME=VALUE into a map has written a key that holds the value.
  const word = quiet ? String(issue.input).replace(/=.*/s, '=…') : issue.input
  const name = ofKey ? `The key ${shown(word)} in "${full.slice(0, -1).join('.')}"` : named(full)
  // Not what the schema has made of it by then.
  const came = ofKey ? undefined : (at ?? wordOf(valueAt(given, steps.slice(0, -1)), steps.at(-1)))
  const message = describe(came === undefined ? issue : { ...issue, input: came }, name, { quiet: ofKey || quiet, written })
  // Of a list in one text all of the text is looked at.
  const above = steps.slice(0, -1)
  const whole = at === undefined && typeof valueAt(given, above) === 'string' ? above : steps
  const takes = (value: unknown) => v.is(key.schema, replaced(given, whole, value))
  const found = ofKey || quiet ? undefined : meant(valueAt(given, whole), file.source(full), takes)
  const next =
    found === undefined
      ? example(String(path.at(-1)), key)
      : { next: `Perhaps: ${label([...path, ...whole])}${inYaml(found.value)}` }
  return { message, place: file.place(full, ofKey ? 'key' : 'value'), ...next }
}

/** An item of a list that is written as one text. */
function wordOf(list: unknown, at: string | number | undefined): string | undefined {
  return typeof list === 'string' && typeof at === 'number' ? list.trim().split(/\s+/)[at] : undefined
}

/** The issue of a list that should be a map, where one of an item of it was found. */
function asMap(issue: v.BaseIssue<unknown>, at: number): v.BaseIssue<unknown> {
  const { path: whole, ...rest } = issue
  const list = {
    ...rest,
    kind: 'schema',
    type: 'record',
    input: whole?.[at]?.input,
    expected: 'Object',
    message: 'Invalid type',
  } as const
  const [first, ...more] = whole?.slice(0, at) ?? []
  return first === undefined ? list : { ...list, path: [first, ...more] }
}

function label(path: YamlPath): string {
  const last = path.at(-1)
  return typeof last === 'number' ? '- ' : `${last}: `
}

// People count from one, and `services.0` is how no file says it.
function named(path: YamlPath): string {
  const last = path.at(-1)
  return typeof last === 'number' ? `Item ${last + 1} of "${path.slice(0, -1).join('.')}"` : `"${path.join('.')}"`
}

/** How {@link describe} tells what came. */
export interface Describing {
  /** Not at all: it is a secret, or was said already. */
  readonly quiet?: boolean
  /** As it stands in the file, for a number: YAML makes 3.1 of 3.10. */
  readonly written?: string | undefined
}

/**
 * What was expected and what came, in words: `"workers" should be a number, not "four"`.
 */
export function describe(issue: v.BaseIssue<unknown>, name: string, { quiet = false, written }: Describing = {}): string {
  const came = quiet ? '' : `, not ${shown(issue.input, written)}`
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

function shown(value: unknown, written = String(value)): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  return typeof value === 'number' ? `the number ${written}` : String(value)
}

/** The example of a key, as a next step. */
export function example(name: string, key: Key): { next?: string } {
  return key.example === undefined ? {} : { next: `For example: ${name}: ${inYaml(key.example)}` }
}
