import { parseArgs } from 'node:util'
import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { choicesOf, dashed, type OptionSpec, type OptionSpecs, refuseOtherVerbs } from '../task/option.js'
import { type SpreadValues, spreadOptions } from './spread-options.js'

/** `kraft TASK[:TARGET[,TARGET]]`, taken apart. */
export interface Word {
  readonly task: string
  /** One for each name behind the colon; none if there is no colon. */
  readonly targets: readonly string[]
}

/** Takes `deploy:stage,live` apart. Throws `usage` for what is not of this form. */
export function parseWord(word: string): Word {
  const [task = '', targets, ...more] = word.split(':')
  const names = targets?.split(',') ?? []
  if (task === '' || more.length > 0 || names.includes('')) {
    throw new KraftError({
      kind: 'usage',
      message: `"${word}" is not TASK or TASK:TARGET`,
      next: 'For example: kraft deploy:stage',
    })
  }
  return { task, targets: [...new Set(names)] }
}

/** The options that every task has. */
export const globalOptions = {
  'dry-run': { type: 'boolean', help: 'print what would change, and change nothing' },
  yes: { type: 'boolean', help: 'answer every question with yes, but the one whether a host key is right' },
  quiet: { type: 'boolean', help: 'print nothing but results and errors (-q)' },
  verbose: { type: 'boolean', help: 'print every step and all that it says, line by line (-v)' },
  json: { type: 'boolean', help: 'print the result as one JSON document' },
  events: { type: 'boolean', help: 'print progress as one JSON document a line, on stderr' },
  debug: {
    type: 'boolean',
    help: 'show where an error came from; without a terminal also what --verbose shows; with --dry-run the scripts themselves',
  },
  'ask-password': { type: 'boolean', help: 'ask once for the password to log in with where nodes take no key' },
  help: { type: 'boolean', help: 'show the help of the task' },
} as const satisfies OptionSpecs

/** Letters for options that every task has. */
const letters: Readonly<Record<string, keyof typeof globalOptions>> = { y: 'yes', h: 'help', q: 'quiet', v: 'verbose' }

/** What was typed behind the task. */
export interface Arguments {
  readonly options: Readonly<Record<string, unknown>>
  readonly globals: Readonly<Record<keyof typeof globalOptions, boolean>>
  /** On which nodes, and how many at once. */
  readonly spread: SpreadValues
  readonly rest: readonly string[]
}

/**
 * Parses what follows the task's word by what the task declares. Numbers may be negative: `--hours -2`.
 *
 * @throws KraftError `usage` for an unknown option (with the nearest one), a wrong value, an argument too many.
 * @example parseArguments('clear-cache', { hours: option({ type: 'number' }) }, false, ['--hours', '2']).options // { hours: 2 }
 */
export function parseArguments(name: string, specs: OptionSpecs, takesRest: boolean, given: readonly string[]): Arguments {
  const split = given.indexOf('--')
  const own = split < 0 ? given : given.slice(0, split)
  const rest = split < 0 ? [] : given.slice(split + 1)
  if (split >= 0 && !takesRest) throw usage(name, `${name} takes no command behind --`)
  const entries = Object.entries(specs)
  const flags = new Map(entries.filter(([, spec]) => spec.positional !== true).map(([key, spec]) => [dashed(key), { key, spec }]))
  const known = new Map<string, OptionSpec>([
    ...[...flags].map(([flag, { spec }]) => [flag, spec] as const),
    ...Object.entries(globalOptions),
    ...Object.entries<OptionSpec>(spreadOptions).filter(([flag]) => !flags.has(flag)),
  ])
  const { values, words } = parse(name, own, known)
  const options: Record<string, unknown> = {}
  for (const [flag, { key, spec }] of flags) {
    const texts = values.get(flag)
    if (texts !== undefined) options[key] = convertAll(name, `--${flag}`, spec, texts)
  }
  const spread: Record<string, unknown> = {}
  for (const [flag, spec] of Object.entries<OptionSpec>(spreadOptions)) {
    const texts = flags.has(flag) ? undefined : values.get(flag)
    if (texts !== undefined) spread[flag] = convertAll(name, `--${flag}`, spec, texts)
  }
  for (const [key, spec] of entries.filter(([, each]) => each.positional === true)) {
    const texts = spec.many === true ? words.splice(0) : words.splice(0, 1)
    if (texts.length > 0) options[key] = convertAll(name, dashed(key).toUpperCase(), spec, texts)
  }
  if (words[0] !== undefined) throw usage(name, `${name} does not know what to do with "${unassigned(words[0])}"`)
  refuseOtherVerbs(name, specs, options)
  const is = (option: keyof typeof globalOptions) => values.has(option)
  if (is('quiet') && is('verbose')) throw usage(name, '--quiet and --verbose are opposites: leave one out')
  return {
    options,
    globals: {
      'dry-run': is('dry-run'),
      yes: is('yes'),
      quiet: is('quiet'),
      verbose: is('verbose'),
      json: is('json'),
      events: is('events'),
      debug: is('debug'),
      'ask-password': is('ask-password'),
      help: is('help'),
    },
    spread,
    rest,
  }
}

/** Sorts arguments into options with their texts, and words; a boolean option has the text '' or, as `--no-x`, 'no'. */
function parse(name: string, args: readonly string[], known: ReadonlyMap<string, OptionSpec>) {
  const declared = Object.fromEntries(
    [...known].map(([flag, { type }]) => [flag, { type: type === 'boolean' ? type : 'string' }]),
  )
  const { tokens } = parseArgs({
    args: [...args],
    options: declared as Record<string, { type: 'boolean' | 'string' }>,
    allowPositionals: true,
    // Not strict: kraft says itself what is wrong, and knows the nearest word.
    strict: false,
    tokens: true,
  })
  // `--no-cache` for `cache`, but an option that is itself called no-cache comes first.
  for (const [flag, { type }] of known) {
    const no = `no-${flag}`
    if (type === 'boolean' && !known.has(no) && !Object.hasOwn(globalOptions, flag)) declared[no] = { type }
  }
  const values = new Map<string, string[]>()
  const words = new Map<number, string>()
  for (const token of tokens) {
    const raw = args[token.index] ?? ''
    if (token.kind === 'positional') words.set(token.index, token.value)
    else if (token.kind === 'option' && isNegative(raw)) words.set(token.index, raw)
    else if (token.kind === 'option') {
      const flag = raw.startsWith('--') ? token.name : (letters[token.name] ?? token.name)
      const spec = token.rawName.startsWith('-') && (raw.startsWith('--') || flag !== token.name) ? known.get(flag) : undefined
      const positive = flag.replace(/^no-/, '')
      if (spec === undefined && positive !== flag && raw.startsWith('--') && Object.hasOwn(declared, flag)) {
        if (token.value !== undefined) throw usage(name, `--${flag} takes no value, got "${token.value}"`)
        values.set(positive, ['no'])
        continue
      }
      if (spec === undefined) {
        const near = didYouMean(flag, known.keys()).replace(/"(.*)"/, '"--$1"')
        throw usage(name, `${name} has no option ${token.rawName}.${near}`)
      }
      values.set(flag, [...(values.get(flag) ?? []), textOf(name, flag, spec, token)])
    }
  }
  return { values, words: [...words.values()] }
}

function textOf(
  name: string,
  flag: string,
  spec: OptionSpec,
  token: { value?: string | undefined; inlineValue?: boolean | undefined },
) {
  const { value, inlineValue } = token
  if (spec.type === 'boolean') {
    if (value !== undefined) throw usage(name, `--${flag} takes no value, got "${value}"`)
    return ''
  }
  // What begins with a hyphen is rather the next option, unless it is a number or written with =.
  if (value === undefined || (inlineValue !== true && /^-./.test(value) && !isNegative(value))) {
    throw usage(name, `--${flag} needs a value${value === undefined ? '' : `; for "${value}" write --${flag}=${value}`}`)
  }
  return value
}

function isNegative(text: string): boolean {
  return /^-(\d+\.?\d*|\.\d+)$/.test(text)
}

/** Texts as the values that an option declares. Throws `usage`. */
export function convertAll(name: string, label: string, spec: OptionSpec, texts: readonly string[]): unknown {
  const values = texts.map((text) => convert(name, label, spec, text))
  return spec.many === true ? values : values.at(-1)
}

function convert(name: string, label: string, spec: OptionSpec, text: string): string | number | boolean {
  if (spec.type === 'boolean') return text !== 'no'
  const choices = choicesOf(spec)
  if (choices !== undefined && !choices.includes(text)) {
    throw usage(name, `${label} is one of ${choices.join(', ')}; got "${unassigned(text)}".${didYouMean(text, choices)}`)
  }
  if (spec.type === 'string') return text
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw usage(name, `${label} is a number, got "${text}"`)
  return number
}

// Whoever writes NAME=VALUE where none belongs may have written a secret.
function unassigned(text: string): string {
  return text.replace(/^(\w+)=.+/s, '$1=…')
}

function usage(name: string, message: string): KraftError {
  return new KraftError({ kind: 'usage', message, next: `See: kraft help ${name}` })
}
