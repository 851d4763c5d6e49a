import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeclarationError } from '../errors/declaration-error.js'
import { KraftError, type Place } from '../errors/failure.js'
import { thrownAt } from '../errors/thrown-at.js'
import { codeMistake } from './code-mistake.js'
import { conflictIn } from './conflict.js'
import { importCircle } from './import-circle.js'
import { missingImport } from './missing-import.js'
import { moduleText } from './module-text.js'
import { placeAt } from './place-at.js'
import { tokens } from './tokens.js'

/** Turns what a kraftfile's loader threw into a KraftError that names file, line and column, and what to do. */
export async function loadFailure(error: unknown, kraftfile: string): Promise<KraftError> {
  const message = error instanceof Error ? error.message : String(error)
  const fail = (what: string, place: Place, next: string) =>
    new KraftError({ kind: 'setting', message: what, place, next }, error)
  const parse = message.match(/^ParseError: ([\s\S]*?)\s*\n\s*(\/.*):(\d+):(\d+)\s*$/)
  if (parse !== null) {
    const [, what = '', file = kraftfile, line, column] = parse
    const text = await read(file)
    const conflict = conflictIn(text)
    if (conflict !== undefined) return fail(conflict.message, placeAt(file, text, conflict.at), conflict.next)
    // Babel counts columns from 0.
    const place = { file, line: Number(line), column: Number(column) + 1 }
    return fail(
      `Syntax error: ${what.trim()}`,
      place,
      'Correct this line, or the one above it: an editor that knows TypeScript marks it',
    )
  }
  const missing = message.match(/^(?:Cannot find (?:module|package)|Package subpath) '([^']*)'/)?.[1]
  if (missing !== undefined) {
    const from = importer(error, message) ?? kraftfile
    const { place, specifier } = await placeOfImport(from, missing)
    return fail(`Cannot find what it imports: "${specifier}"`, place, await missingImport(specifier, from))
  }
  const place = thrownAt(error) ?? (await thrownSomewhere(kraftfile))
  const text = await read(place.file)
  if (isDeclarationError(error)) return fail(message, columnOf(place, text, error.call), error.next)
  const { message: what, next: correct, word } = await codeMistake(message, text)
  const circle = importCircle(place.file)
  const next =
    circle.length === 0
      ? correct
      : `${[place.file, ...circle].map((each) => basename(each)).join(' and ')} import each other, so that one of them is not there yet: move what both need into another file`
  return fail(what, columnOf(place, text, word), next)
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

/** Lines are kept where TypeScript becomes JavaScript, columns are not: a word of the line is looked for in what was written. */
function columnOf(place: Place, text: string, word?: string): Place {
  const line = text.split('\n')[(place.line ?? 0) - 1]
  if (line === undefined) return place
  const found = word === undefined ? -1 : line.search(new RegExp(`(?<![\\w$])${word.replaceAll('$', '\\$')}(?![\\w$])`))
  if (found >= 0) return { ...place, column: found + 1 }
  return (place.column ?? 0) > line.length ? { ...place, column: line.search(/\S|$/) + 1 } : place
}

/** What is no Error has no stack: the first `throw` that runs by itself is the likeliest. */
async function thrownSomewhere(file: string): Promise<Place> {
  const text = await read(file)
  const found = tokens(text).find(({ kind, text: word, depth }) => kind === 'word' && word === 'throw' && depth === 0)
  return found === undefined ? { file } : placeAt(file, text, found.at)
}

/** The file that asked for a module that is not there. */
function importer(error: unknown, message: string): string | undefined {
  if (typeof error === 'object' && error !== null && 'requireStack' in error && Array.isArray(error.requireStack)) {
    const [first] = error.requireStack
    if (typeof first === 'string') return first
  }
  const from = message.match(/ imported from (\S+)/)?.[1]
  if (from === undefined) return undefined
  return from.startsWith('file:') ? fileURLToPath(from) : from
}

async function placeOfImport(file: string, missing: string): Promise<{ readonly place: Place; readonly specifier: string }> {
  const source = await read(file)
  const { imports } = moduleText(source)
  // What has an alias, or a path of its own, is told by where it was looked for.
  const found =
    imports.find(({ specifier }) => specifier === missing) ??
    imports.find(({ specifier }) => missing.endsWith(specifier.replace(/^(?:\.+|kraftwerk)(?=\/)/, '')))
  return found === undefined
    ? { place: { file }, specifier: missing }
    : { place: placeAt(file, source, found.at), specifier: found.specifier }
}
