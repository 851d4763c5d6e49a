import type { GenericSchema } from 'valibot'
import type { Section } from './section.js'

/** A JSON Schema, as editors read it. */
export type JsonSchema = { readonly [key: string]: unknown }

/** A section, or the keys of a map within one, whose schemas describe themselves or not at all. */
type Described = Readonly<Record<string, Omit<Section[string], 'doc'> & { readonly doc?: string }>>

/**
 * The JSON Schema of a section: what may stand in the file, as it is written there, with docs, defaults and examples. What JSON
 * Schema cannot say (a check that is code) it leaves out, so that it never refuses what kraft takes.
 *
 * @example sectionSchema({ workers: { schema: v.optional(v.number(), 2), doc: 'Worker processes' } })
 */
export function sectionSchema(section: Described): JsonSchema {
  const entries = Object.entries(section)
  const required = entries.filter(([, { schema }]) => !isOptional(schema)).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, { schema, doc, example }]) => [
        name,
        {
          ...(doc === undefined ? {} : { description: doc }),
          ...jsonSchema(schema),
          ...(example === undefined ? {} : { examples: [example] }),
        },
      ]),
    ),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  }
}

/** The parts of valibot's schemas that are read here. */
type Parts = GenericSchema & {
  readonly pipe?: readonly Part[]
  readonly wrapped?: Parts
  readonly item?: Parts
  readonly key?: Parts
  readonly value?: Parts
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly entries?: Readonly<Record<string, Parts>>
  readonly default?: unknown
  readonly getter?: (input: unknown) => Parts
}
interface Part {
  readonly kind: string
  readonly type: string
  readonly requirement?: unknown
  readonly description?: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

const wrappers = ['optional', 'exact_optional', 'nullable', 'nullish', 'undefinedable']

/** Whether a key may be left out. */
export function isOptional({ type }: GenericSchema): boolean {
  return type === 'optional' || type === 'exact_optional' || type === 'nullish'
}

/** The JSON Schema of what a valibot schema takes. */
export function jsonSchema(given: GenericSchema): JsonSchema {
  const schema: Parts = given
  if (schema.pipe !== undefined) return piped(schema.pipe)
  if (wrappers.includes(schema.type) && schema.wrapped !== undefined) {
    const inner = jsonSchema(schema.wrapped)
    const plain = schema.default === undefined || typeof schema.default === 'function' ? {} : { default: schema.default }
    return { ...(schema.type.startsWith('null') ? anyOf([inner, { type: 'null' }]) : inner), ...plain }
  }
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: schema.type }
    case 'literal':
      return { const: schema.literal }
    case 'picklist':
      return { enum: schema.options }
    case 'array':
      return { type: 'array', ...(schema.item && { items: jsonSchema(schema.item) }) }
    case 'record':
      return {
        type: 'object',
        ...(schema.key && { propertyNames: jsonSchema(schema.key) }),
        ...(schema.value && { additionalProperties: jsonSchema(schema.value) }),
      }
    case 'object':
    case 'strict_object':
      return sectionSchema(
        Object.fromEntries(
          Object.entries(schema.entries ?? {})
            // What may not be there is no key, and as such it is refused.
            .filter(([, each]) => each.wrapped?.type !== 'never')
            .map(([name, each]) => [name, { schema: each }]),
        ),
      )
    case 'union':
      return anyOf((schema.options ?? []).map((option) => jsonSchema(option as GenericSchema)))
    case 'lazy':
      return lazy(schema, kinds)
    default:
      return {}
  }
}

// What is taken mostly depends on whether text, a list, a map or `false` stands there.
const kinds = ['', [], {}, false]

function lazy({ getter }: Parts, inputs: readonly unknown[]): JsonSchema {
  return getter === undefined ? {} : anyOf(inputs.map((input) => jsonSchema(getter(input))))
}

function piped([first, ...parts]: readonly Part[]): JsonSchema {
  const schema = first as unknown as Parts
  const told = parts.find(({ kind, type }) => kind === 'metadata' && type === 'description')?.description
  const about = told === undefined ? {} : { description: told }
  // A schema that depends on more says so: `metadata({ inputs: [{ command: '' }, { webhook: '' }] })`.
  const inputs = parts.find(({ type }) => type === 'metadata')?.metadata?.inputs
  let found: Record<string, unknown> = { ...(Array.isArray(inputs) ? lazy(schema, inputs) : jsonSchema(schema)) }
  if (schema.pipe?.some(transforms) === true) return { ...about, ...found }
  for (const part of parts) {
    // Whatever follows a transformation is no longer what stands in the file.
    if (transforms(part)) break
    if (part.kind === 'schema' && part.type === 'object') found = { ...jsonSchema(part as unknown as GenericSchema) }
    else if (part.kind === 'validation') Object.assign(found, bound(part, found.type === 'array'))
  }
  return { ...about, ...found }
}

function transforms({ kind, type }: Part): boolean {
  return kind === 'transformation' && type !== 'trim'
}

function bound({ type, requirement }: Part, list: boolean): JsonSchema {
  switch (type) {
    case 'min_value':
      return { minimum: requirement }
    case 'max_value':
      return { maximum: requirement }
    case 'gt_value':
      return { exclusiveMinimum: requirement }
    case 'lt_value':
      return { exclusiveMaximum: requirement }
    case 'integer':
      return { type: 'integer' }
    case 'non_empty':
      return list ? { minItems: 1 } : { minLength: 1 }
    case 'regex':
      return requirement instanceof RegExp && requirement.flags === '' ? { pattern: requirement.source } : {}
    case 'not_value':
      return { not: { const: requirement } }
    default:
      return {}
  }
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const different = [...new Map(schemas.map((each) => [JSON.stringify(each), each])).values()]
  return different.length === 1 ? { ...different[0] } : { anyOf: different }
}
