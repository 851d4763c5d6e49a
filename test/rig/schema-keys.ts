import type { JsonSchema } from '../../engine/config/json-schema.js'

/** A key that a JSON Schema knows, and where it stands. */
export interface SchemaKey {
  /** Keys and indices of the map that it stands in. */
  readonly path: readonly (string | number)[]
  readonly key: string
  /** All keys of that map. */
  readonly known: readonly string[]
}

/** A name where any that fits would do: that of an environment, a variable, a process. */
const names = ['stage', 'NAME']

/** Every key of every map whose keys a schema fixes, each once, also in lists and under names that people choose. */
export function schemaKeys(schema: JsonSchema): readonly SchemaKey[] {
  const found = walk(schema, [])
  return [...new Map(found.map((each) => [JSON.stringify([each.path, each.key]), each])).values()]
}

function walk(schema: JsonSchema, path: SchemaKey['path']): readonly SchemaKey[] {
  const properties = isMap(schema.properties) ? schema.properties : {}
  const known = Object.keys(properties)
  return [
    ...(schema.additionalProperties === false ? known.map((key) => ({ path, key, known })) : []),
    ...Object.entries(properties).flatMap(([key, each]) => below(each, [...path, key])),
    // That its rules stand below paths of the site is said by code alone.
    ...below(schema.additionalProperties, [...path, path.at(-1) === 'cache' ? '/' : nameIn(schema.propertyNames)]),
    ...below(schema.items, [...path, 0]),
    ...(Array.isArray(schema.anyOf) ? schema.anyOf.flatMap((each) => below(each, path)) : []),
  ]
}

function below(schema: unknown, path: SchemaKey['path']): readonly SchemaKey[] {
  return isMap(schema) ? walk(schema, path) : []
}

function nameIn(schema: unknown): string {
  if (!isMap(schema)) return 'name'
  if (Array.isArray(schema.enum)) return String(schema.enum[0])
  const pattern = new RegExp(typeof schema.pattern === 'string' ? schema.pattern : '')
  return names.find((name) => pattern.test(name)) ?? 'name'
}

function isMap(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A document that has nothing but this value at this path. */
export function documentWith(path: SchemaKey['path'], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, part) => (typeof part === 'number' ? [inner] : { [part]: inner }), value)
}

/** What fingers make of a word: two letters in the wrong order, one too few, one twice. */
export function misspellings(word: string): readonly string[] {
  const middle = Math.floor(word.length / 2)
  const [left, right] = [word.slice(0, middle), word.slice(middle)]
  const swapped = `${left.slice(0, -1)}${right.slice(0, 1)}${left.slice(-1)}${right.slice(1)}`
  return [...new Set([swapped, `${left}${right.slice(1)}`, `${word}${word.slice(-1)}`])].filter(
    (each) => each !== word && each.length > 2,
  )
}
