import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { jsonSchema, sectionSchema } from '../../../engine/config/json-schema.js'
import { sectionOf, withDefaults } from '../../../engine/config/section-of.js'
import { projectSchema } from '../../../project/project-schema.js'
import { loadKinds } from '../../../recipes/kinds.js'

it.each<[string, v.GenericSchema, unknown]>([
  ['text', v.pipe(v.string(), v.trim(), v.nonEmpty()), { type: 'string', minLength: 1 }],
  [
    'a number with bounds',
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)),
    { type: 'integer', minimum: 1, maximum: 9 },
  ],
  ['a default', v.optional(v.boolean(), true), { type: 'boolean', default: true }],
  ['choices', v.picklist(['a', 'b']), { enum: ['a', 'b'] }],
  ['a pattern', v.pipe(v.string(), v.regex(/^a+$/)), { type: 'string', pattern: '^a+$' }],
  ['what may be nothing', v.nullable(v.string()), { anyOf: [{ type: 'string' }, { type: 'null' }] }],
  ['a list', v.array(v.literal(1)), { type: 'array', items: { const: 1 } }],
  [
    'a map',
    v.record(v.string(), v.number()),
    { type: 'object', propertyNames: { type: 'string' }, additionalProperties: { type: 'number' } },
  ],
  [
    'what is one thing or the other',
    v.lazy((input) => (typeof input === 'string' ? v.string() : v.array(v.string()))),
    { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  ],
  ['what stands in the file, not what becomes of it', v.pipe(v.string(), v.transform(Number), v.minValue(1)), { type: 'string' }],
  ['nothing of what it does not know', v.custom(() => true), {}],
])('tells %s', (_name, schema, json) => expect(jsonSchema(schema)).toEqual(json))

it('a section knows its keys, with docs, examples and what is required', () => {
  const section = sectionOf(
    v.object({
      core: v.pipe(v.string(), v.description('Name of the core'), v.examples(['books'])),
      pages: v.optional(v.pipe(v.number(), v.description('How many')), 3),
      password: v.optional(v.pipe(v.string(), v.metadata({ secret: true }))),
    }),
  )
  expect(section).toMatchObject({
    core: { doc: 'Name of the core', example: 'books' },
    pages: { doc: 'How many' },
    password: { doc: 'password', secret: true },
  })
  expect(sectionSchema(section)).toMatchObject({
    properties: { core: { description: 'Name of the core', examples: ['books'] }, pages: { default: 3 } },
    required: ['core'],
    additionalProperties: false,
  })
  expect(withDefaults(section, { core: 'a' })).toEqual({ core: 'a', pages: 3, password: undefined })
})

describe('the schema of kraftwerk.yaml', async () => {
  const schema = projectSchema(await loadKinds('services'), ['op'])
  const properties = schema.properties as Record<string, Record<string, unknown>>

  it('has every key, and each service by its name', () => {
    expect(properties.workers).toMatchObject({ type: 'integer', minimum: 1, default: 2 })
    expect(properties.services).toMatchObject({ type: 'array' })
    expect(JSON.stringify(properties.services)).toContain('{"const":"postgres"')
  })

  it('lets an environment override everything and asks it for nothing', () => {
    const text = JSON.stringify(properties.environments)
    expect(text).toContain('"nodes"')
    expect(text).not.toContain('"required":["wsgi"')
  })
})
