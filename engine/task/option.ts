import { KraftError } from '../errors/failure.js'
import { checkOption } from './check-declared.js'

/** How an option or a positional argument of a task is declared: parsing, help and completion are made from it. */
export interface OptionSpec {
  /** What it is parsed to; a `boolean` is true where it is typed, and false as `--no-NAME`. */
  readonly type: 'string' | 'number' | 'boolean'
  /** Stands without its name, in the order of declaration. */
  readonly positional?: boolean
  /** The words that it can be; completion offers them, and any other is refused. */
  readonly choices?: readonly string[]
  /** Choices that are known only once the kraftfile was loaded; read them with {@link choicesOf}. */
  readonly choicesFrom?: () => readonly string[]
  /** What it is where nothing is given. `false` for a boolean that says nothing. */
  readonly default?: string | number | boolean
  /** Without it the command line is refused, before anything connects. */
  readonly required?: boolean
  /** One line for `kraft help TASK`. */
  readonly help?: string
  /** A word as behind the colon: completion offers those, and the task finds what it means with `session.resolve`. */
  readonly target?: boolean
  /** Repeats: `--only a --only b`. */
  readonly many?: boolean
  /** Only with these verbs, where the task's first positional is a verb: `list`, `set`… */
  readonly verbs?: readonly string[]
}

/** Options by name, as a task declares them. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** The type of a single value. */
type Plain<S extends OptionSpec> = S['choices'] extends readonly string[]
  ? S['choices'][number]
  : S['type'] extends 'number'
    ? number
    : S['type'] extends 'boolean'
      ? boolean
      : string

/** The type of what was given: of an option with `many` a list. */
type Given<S extends OptionSpec> = S extends { readonly many: true } ? readonly Plain<S>[] : Plain<S>

/** The type of an option's value; undefined where it is neither required nor has a default. */
export type OptionValue<S extends OptionSpec> = S extends
  | { readonly required: true }
  | { readonly many: true }
  | { readonly type: 'boolean' }
  ? Given<S>
  : S extends { readonly default: string | number | boolean }
    ? Given<S>
    : Given<S> | undefined

/** The values that a task gets for what it declared. */
export type OptionValues<O extends OptionSpecs> = { readonly [Name in keyof O]: OptionValue<O[Name]> }

/**
 * Declares an option with its type kept exact.
 *
 * @example
 * export const clearCache = task({
 *   options: { hours: option({ type: 'number', default: 24, help: 'keep younger ones' }) },
 *   run: ({ $, options }) => $`find cache -type f -mmin +${options.hours * 60} -delete`,
 * })
 */
export function option<const S extends OptionSpec>(spec: S): S {
  checkOption('option', spec)
  return spec
}

/** What an option can be, where that is a fixed set. */
export function choicesOf({ choices, choicesFrom }: OptionSpec): readonly string[] | undefined {
  return choices ?? choicesFrom?.()
}

/** `dropOld` as it is typed: `drop-old`. */
export function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The values of options that were not given. */
export function defaultOptions(specs: OptionSpecs): Readonly<Record<string, unknown>> {
  const entries = Object.entries(specs).map(([name, { type, default: value, many }]) => [
    name,
    value ?? (many === true ? [] : type === 'boolean' ? false : undefined),
  ])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** The verb of a call: what its first positional is, where that is one of a fixed set. */
function verbOf(specs: OptionSpecs, options: Readonly<Record<string, unknown>>): string | undefined {
  const [name, spec] = Object.entries(specs).find(([, { positional }]) => positional === true) ?? []
  if (name === undefined || spec === undefined || choicesOf(spec) === undefined) return undefined
  const verb = options[name] ?? spec.default
  return typeof verb === 'string' ? verb : undefined
}

/** Throws `usage` for an option that means nothing with the verb that was given. */
export function refuseOtherVerbs(task: string, specs: OptionSpecs, options: Readonly<Record<string, unknown>>): void {
  const verb = verbOf(specs, options)
  for (const [name, { verbs }] of Object.entries(specs)) {
    if (verb === undefined || verbs === undefined || verbs.includes(verb) || options[name] === undefined) continue
    throw new KraftError({
      kind: 'usage',
      message: `--${options[name] === false ? 'no-' : ''}${dashed(name)} means nothing to ${task} ${verb}; it goes with ${verbs.join(', ')}`,
      next: `See: kraft help ${task}`,
    })
  }
}

/** Throws `usage` for a required option that has no value. */
export function requireOptions(task: string, specs: OptionSpecs, options: Readonly<Record<string, unknown>>): void {
  for (const [name, { required, positional, help }] of Object.entries(specs)) {
    if (required !== true || options[name] !== undefined) continue
    const label = positional === true ? dashed(name).toUpperCase() : `--${dashed(name)}`
    const message = `${task} needs ${label}${help === undefined ? '' : `: ${help}`}`
    throw new KraftError({ kind: 'usage', message, next: `See: kraft help ${task}` })
  }
}
