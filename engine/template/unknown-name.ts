import { didYouMean } from '../errors/nearest.js'

/** What a template did with a name that does not exist, in words; and what it could have named, where that is of use. */
export interface UnknownName {
  readonly message: string
  readonly known: readonly string[]
}

/**
 * Explains an error of a template that names what there is not: a variable, a value's key, a function. Undefined for any other error.
 *
 * @param message what JavaScript said
 * @param line the line of the template that it was at
 * @example unknownName('plcae is not defined', '<%= plcae.name %>', { place }) // { message: 'plcae is not defined. Did you mean "place"?', … }
 */
export function unknownName(message: string, line: string, data: Readonly<Record<string, unknown>>): UnknownName | undefined {
  const variable = /^([\w$]+) is not defined$/.exec(message)?.[1]
  if (variable !== undefined) return { message: hinted(message, variable, Object.keys(data)), known: Object.keys(data) }
  const called = /^([\w$.]+) is not a function$/.exec(message)?.[1]
  const printed = message.startsWith('the value is ') ? printedIn(line) : []
  for (const path of called === undefined ? printed : [called]) {
    const lost = missing(path.split('.'), data)
    if (lost === undefined) continue
    const { owner, key, known } = lost
    return { message: hinted(`${message}: ${owner} has no "${key}"`, key, known), known }
  }
  return undefined
}

function hinted(message: string, word: string, known: readonly string[]): string {
  const hint = didYouMean(word, known)
  return hint === '' ? message : `${message}.${hint}`
}

// Whole names that the line prints, as in `<%= place.name %>`: what else stands there has to be looked at by a person.
function printedIn(line: string): readonly string[] {
  return [...line.matchAll(/<%[=-]\s*([\w$]+(?:\.[\w$]+)+)\s*-?%>/g)].map(([, path = '']) => path)
}

function missing(path: readonly string[], data: Readonly<Record<string, unknown>>) {
  let value: unknown = data
  for (const [index, key] of path.entries()) {
    if (typeof value !== 'object' || value === null) return undefined
    if (!(key in value))
      return index === 0 ? undefined : { owner: path.slice(0, index).join('.'), key, known: Object.keys(value) }
    value = Reflect.get(value, key)
  }
  return undefined
}
