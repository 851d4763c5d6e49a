import { KraftError } from '../engine/errors/failure.js'
import type { Variables } from './assignments.js'

/**
 * Variables as a `.env` file that python-dotenv reads. Where no value has a quote in it or ends in a backslash, a shell reads the
 * same.
 *
 * @example writeDotenv(new Map([['A', Buffer.from('1 2')]])).toString() // "A='1 2'\n"
 */
export function writeDotenv(variables: Variables): Buffer {
  const rows = [...variables].map(([name, value]) => `${name}=${inQuotes(value.toString('latin1'))}\n`)
  return Buffer.from(rows.join(''), 'latin1')
}

function inQuotes(value: string): string {
  if (/^[\w./:@%+,=-]+$/.test(value)) return value
  // A backslash is one, but before a quote or another one.
  return `'${value.replaceAll(/\\(?=[\\']|$)/g, '\\\\').replaceAll("'", "\\'")}'`
}

const row = new RegExp(
  [
    /(?:[^\S\n]*(?:#.*)?\n)*/, // blank lines and comments
    /[^\S\n]*(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=[^\S\n]*/,
    /(?:'((?:\\'|\\\\|[^'])*)'|"((?:\\[\s\S]|[^"\\])*)"|((?!['"])[^\n]*?))/,
    /[^\S\n]*(?:[^\S\n]#[^\n]*)?(?:\n|$)/,
  ]
    .map(({ source }) => source)
    .join(''),
  'y',
)
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads a `.env` file: comments, `export`, values without quotes, in single quotes and, with `\n` and the like, in double quotes; in
 * quotes a value may have several lines. Nothing is expanded.
 *
 * @throws KraftError `usage` that names the line; what stands there is not repeated.
 */
export function readDotenv(file: Buffer): Variables {
  const text = file.toString('latin1')
  const found = new Map<string, Buffer>()
  const end = text.trimEnd().length
  row.lastIndex = 0
  while (row.lastIndex < end) {
    const at = row.lastIndex
    if (/^(?:\s*(?:#.*)?(?:\n|$))+$/.test(text.slice(at))) break
    const [whole, name, single, double, plain] = row.exec(text) ?? []
    if (whole === undefined || name === undefined) {
      // Comments and blank lines before it are not what is wrong.
      const [passed = ''] = /^(?:[^\S\n]*(?:#.*)?\n)*/.exec(text.slice(at)) ?? []
      throw new KraftError({
        kind: 'usage',
        message: `Line ${text.slice(0, at + passed.length).split('\n').length} of what was given is not NAME=value`,
        next: 'Write values with blanks, quotes or several lines in quotes',
      })
    }
    const value =
      single?.replaceAll(/\\([\\'])/g, '$1') ??
      double?.replaceAll(/\\([\s\S])/g, (_, letter: string) => escapes[letter] ?? letter) ??
      plain ??
      ''
    found.set(name, Buffer.from(value, 'latin1'))
  }
  return found
}
