import { readFile } from 'node:fs/promises'
import type { Document, Node, Pair, Range } from 'yaml'
import { isKraftError, KraftError, type Place } from '../errors/failure.js'
import { decode } from './decode.js'
import { mistakes, type YamlMistake, yamlMistake } from './yaml-mistake.js'

/** Keys and list indexes from the top of a document to a value. */
export type YamlPath = readonly (string | number)[]

/** A YAML file as data that still knows where everything stands. */
export interface YamlFile {
  readonly file: string
  /** The content as plain data; an empty file is an empty map. */
  readonly value: unknown
  /** Where a value stands, or its key; the nearest thing above it where the path does not exist. */
  place(path: YamlPath, of?: 'key' | 'value'): Place
  /** The text of a plain value as it was written: `1.10`, where {@link value} has the number 1.1. */
  source(path: YamlPath): string | undefined
}

/** A YAML file that can be changed without losing comments. */
export interface YamlText extends YamlFile {
  readonly document: Document
}

/**
 * Reads a YAML file. Throws a KraftError `setting` that names file, line and column for what is not YAML, and lets errors of
 * the file system (ENOENT) pass.
 *
 * @example const file = await readYaml('kraftwerk.yaml'); file.place(['domain']) // { file, line: 2, column: 9 }
 */
export async function readYaml(file: string): Promise<YamlFile> {
  return parseYaml(await readText(file), file)
}

/** The text of a file of settings. Throws a KraftError `setting` where it is there and can't be read; ENOENT passes. */
export async function readText(file: string): Promise<string> {
  try {
    return decode(await readFile(file), file)
  } catch (error) {
    if (isKraftError(error)) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') throw error
    const denied = ['EACCES', 'EPERM'].includes(code)
    throw new KraftError(
      {
        kind: 'setting',
        place: { file },
        message: `This file cannot be read${denied ? ': it belongs to somebody else' : code === 'EISDIR' ? ': it is a folder' : ` (${code})`}`,
        ...(denied ? { next: `sudo chown "$USER" ${file}` } : {}),
      },
      error,
    )
  }
}

/** The same for text that was read already; `file` is the name for messages. */
export async function parseYaml(text: string, file: string): Promise<YamlText> {
  const { LineCounter, parseDocument, isAlias, isMap, isScalar, isSeq, visit } = await import('yaml')
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset)
    return line === 0 ? { file } : { file, line, column: col }
  }
  const refuse = ({ message, next }: Omit<YamlMistake, 'at'>, at = 0, cause?: unknown): never => {
    throw new KraftError({ kind: 'setting', place: placeAt(at), message, next }, cause)
  }
  const [error] = document.errors
  if (error !== undefined) {
    const mistake = yamlMistake(error, text)
    refuse(mistake, mistake.at, error)
  }
  visit(document, {
    Alias(_, node) {
      // Its name could be a password: it is not repeated.
      if (node.resolve(document) === undefined) refuse(mistakes.alias, node.range?.[0])
    },
    Pair(_, { key }, above) {
      const map = above.at(-1)
      const braces = isMap(key) && isMap(map) && map.flow === true
      if (isMap(key) || isSeq(key)) refuse(braces ? mistakes.curly : mistakes.mapAsKey, (braces ? map : key).range?.[0])
      if (isScalar(key) && key.value === '<<') refuse(mistakes.merge, key.range?.[0])
    },
  })
  const [unknown] = document.warnings
  if (unknown !== undefined) refuse(mistakes.tag, unknown.pos[0], unknown)
  // Whatever is no list is a line that lacks its colon.
  if (isScalar(document.contents) && document.contents.value !== null) refuse(mistakes.scalar, document.contents.range?.[0])
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node)

  /** The pair or item at each step of a path, as far as it exists. */
  function walk(path: YamlPath): { key?: unknown; value?: unknown; whole: boolean } {
    let found: { key?: unknown; value?: unknown } = { value: document.contents }
    for (const part of path) {
      const above = resolved(found.value)
      let next: { key?: unknown; value?: unknown } | undefined
      if (isMap(above)) {
        const pair: Pair | undefined = above.items.find(
          (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(part),
        )
        if (pair !== undefined) next = { key: pair.key, value: pair.value }
      } else if (isSeq(above) && typeof part === 'number' && part < above.items.length) {
        next = { value: above.items[part] }
      }
      // A list written as words in one text has its items in that text.
      if (next === undefined) return { ...found, whole: isScalar(above) && above.value !== null }
      found = next
    }
    return { ...found, whole: true }
  }

  return {
    file,
    document,
    value: plain(document, file),
    place(path, of = 'value') {
      const { key, value, whole } = walk(path)
      const range = whole && of === 'value' ? (rangeOf(value) ?? rangeOf(key)) : (rangeOf(key) ?? rangeOf(value))
      return placeAt(range?.[0] ?? 0)
    },
    source(path) {
      const { value, whole } = walk(path)
      const node = resolved(value)
      return whole && isScalar(node) ? node.source : undefined
    },
  }
}

function rangeOf(node: unknown): Range | undefined {
  return typeof node === 'object' && node !== null && 'range' in node ? ((node as Node).range ?? undefined) : undefined
}

function plain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new KraftError({ kind: 'setting', message, place: { file }, next: 'Write out what the aliases repeat' }, error)
  }
}
