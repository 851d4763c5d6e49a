import { parseArgs } from 'node:util'
import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import type { OptionSpec, OptionSpecs } from '../task/option.js'

/** `kraft TASK[:TARGET[,TARGET]]`, taken apart. */
export interface Word {
  readonly task: string
  /** One for each name behind the colon; none if there is no colon. */
  readonly targets: readonly string[]
}

/** Takes `deploy:stage,live` apart. */
export function parseWord(word: string): Word {
  const [task = '', targets, ...more] = word.split(':')
  const names = targets?.split(',') ?? []
  if (more.length > 0 || names.includes('')) {
    throw new KraftError({
      kind: 'usage',
      message: `"${word}" is not TASK or TASK:TARGET`,
      next: 'For example: kraft deploy:stage',
    })
  }
  return { task, targets: names }
}

/** The options that every task has. */
export const globalOptions = {
  'dry-run': { type: 'boolean', help: 'print what would change, and change nothing' },
  yes: { type: 'boolean', help: 'answer every question with yes' },
  json: { type: 'boolean', help: 'print the result as one JSON document' },
  events: { type: 'boolean', help: 'print progress as one JSON document a line, on stderr' },
  debug: { type: 'boolean', help: 'show where an error came from; without a terminal also every step and all output' },
  help: { type: 'boolean', help: 'show the help of the task' },
} as const satisfies OptionSpecs

/** What was typed behind the task. */
export interface Arguments {
  readonly options: Readonly<Record<string, unknown>>
  readonly globals: Readonly<Record<keyof typeof globalOptions, boolean>>
  readonly rest: readonly string[]
}

/**
 * Parses what follows the task's word by what the task declares.
 *
 * @throws KraftError `usage` for an unknown option (with the nearest one), a wrong value, a missing or extra argument.
 */
export function parseArguments(name: string, specs: OptionSpecs, takesRest: boolean, given: readonly string[]): Arguments {
  const split = given.indexOf('--')
  const own = split < 0 ? given : given.slice(0, split)
  const rest = split < 0 ? [] : given.slice(split + 1)
  if (rest.length > 0 && !takesRest) {
    throw usage(name, `${name} takes no command behind --`)
  }
  const flags = Object.entries(specs).filter(([, spec]) => spec.positional !== true)
  const known = new Map<string, OptionSpec>([
    ...flags.map(([key, spec]) => [dashed(key), spec] as const),
    ...Object.entries(globalOptions),
  ])
  const { values, positionals } = parse(name, own, known)
  const options: Record<string, unknown> = {}
  for (const [key, spec] of flags) {
    const value = values[dashed(key)]
    if (value !== undefined)
      options[key] =
        spec.many === true
          ? [value].flat().map((each) => convert(name, `--${dashed(key)}`, spec, each))
          : convert(name, `--${dashed(key)}`, spec, value)
  }
  const words = [...positionals]
  for (const [key, spec] of Object.entries(specs).filter(([, each]) => each.positional === true)) {
    const word = words.shift()
    if (word !== undefined) options[key] = convert(name, key.toUpperCase(), spec, word)
  }
  if (words[0] !== undefined) throw usage(name, `${name} does not know what to do with "${words[0]}"`)
  const globals = Object.fromEntries(Object.keys(globalOptions).map((key) => [key, values[key] === true]))
  return { options, globals: globals as Arguments['globals'], rest }
}

/** Throws what is missing; apart from parsing, because `--help` comes first. */
export function requireOptions(name: string, specs: OptionSpecs, options: Readonly<Record<string, unknown>>): void {
  for (const [key, spec] of Object.entries(specs)) {
    if (spec.required === true && options[key] === undefined) {
      throw usage(
        name,
        `${name} needs ${spec.positional === true ? key.toUpperCase() : `--${dashed(key)}`}${spec.help === undefined ? '' : `: ${spec.help}`}`,
      )
    }
  }
}

/** `dropOld` as it is typed: `drop-old`. */
export function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function parse(name: string, args: readonly string[], known: ReadonlyMap<string, OptionSpec>) {
  const options = Object.fromEntries(
    [...known].map(([key, spec]) => [
      key,
      { type: spec.type === 'boolean' ? ('boolean' as const) : ('string' as const), multiple: spec.many === true },
    ]),
  )
  const short = { yes: 'y', help: 'h' } as const
  for (const [key, letter] of Object.entries(short)) Object.assign(options[key] ?? {}, { short: letter })
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const option = /Unknown option '(--?[^']+)'/.exec(String(error))?.[1]
    if (option !== undefined) {
      const near = didYouMean(option.replace(/^-+/, ''), known.keys()).replace(/"(.*)"/, '"--$1"')
      throw usage(name, `${name} has no option ${option}.${near}`, error)
    }
    throw usage(name, String(error instanceof Error ? error.message : error).split('\n')[0] ?? '', error)
  }
}

function convert(name: string, label: string, spec: OptionSpec, value: unknown): unknown {
  if (spec.type === 'number') {
    const number = Number(value)
    if (value === '' || !Number.isFinite(number)) throw usage(name, `${label} is a number, got "${String(value)}"`)
    return number
  }
  if (spec.choices !== undefined && !spec.choices.includes(String(value))) {
    throw usage(
      name,
      `${label} is one of ${spec.choices.join(', ')}; got "${String(value)}".${didYouMean(String(value), spec.choices)}`,
    )
  }
  return value
}

function usage(name: string, message: string, cause?: unknown): KraftError {
  return new KraftError({ kind: 'usage', message, next: `See: kraft help ${name}` }, cause)
}
