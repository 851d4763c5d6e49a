import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { KraftError, type Place } from '../errors/failure.js'
import { thrownAt } from '../errors/thrown-at.js'
import { moduleText } from './module-text.js'

/** Turns what a kraftfile's loader threw into a KraftError that names file, line and column. */
export async function loadFailure(error: unknown, kraftfile: string): Promise<KraftError> {
  const message = error instanceof Error ? error.message : String(error)
  const parse = message.match(/^ParseError: ([\s\S]*?)\s*\n\s*(\/.*):(\d+):(\d+)\s*$/)
  if (parse !== null) {
    const [, what = '', file = kraftfile, line, column] = parse
    // Babel counts columns from 0.
    const place = { file, line: Number(line), column: Number(column) + 1 }
    return new KraftError({ kind: 'setting', message: `Syntax error: ${what.trim()}`, place }, error)
  }
  const missing = message.match(/^Cannot find (?:module|package) '([^']*)'/)?.[1]
  if (missing !== undefined) {
    const from = importer(error, message) ?? kraftfile
    const place = await placeOfImport(from, missing)
    const relative = missing.startsWith('.') || missing.startsWith('/')
    const next = relative ? undefined : `npm install --save-dev ${packageName(missing)}`
    return new KraftError(
      { kind: 'setting', message: `Cannot find what it imports: "${missing}"`, place, ...(next === undefined ? {} : { next }) },
      error,
    )
  }
  return new KraftError(
    { kind: 'setting', message: `This code failed: ${message}`, place: thrownAt(error) ?? { file: kraftfile } },
    error,
  )
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

async function placeOfImport(file: string, specifier: string): Promise<Place> {
  const source = await readFile(file, 'utf8').catch(() => '')
  const found = moduleText(source).imports.find(
    (each) => each.specifier === specifier || specifier.endsWith(each.specifier.replace(/^\.+/, '')),
  )
  if (found === undefined) return { file }
  const before = source.slice(0, found.at).split('\n')
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
