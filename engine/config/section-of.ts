import * as v from 'valibot'
import type { Key, Section } from './section.js'

/** A schema of a map, as people declare the settings of a service or a provider: `schema.object({ core: schema.string() })`. */
export type MapSchema = v.ObjectSchema<v.ObjectEntries, v.ErrorMessage<v.ObjectIssue> | undefined>

/**
 * The section of settings that an object schema describes: `schema.description()` is the documentation of a key,
 * `schema.examples()` its example, and `schema.metadata({ secret: true })` masks it.
 *
 * @example sectionOf(v.object({ core: v.pipe(v.string(), v.description('Name of the core')) }))
 */
export function sectionOf(schema: MapSchema): Section {
  return Object.fromEntries(Object.entries(schema.entries).map(([name, entry]) => [name, keyOf(name, entry as v.GenericSchema)]))
}

function keyOf(name: string, schema: v.GenericSchema): Key {
  const told = [schema, ...('wrapped' in schema ? [schema.wrapped as v.GenericSchema] : [])]
  const doc = told.map((each) => v.getDescription(each)).find((text) => text !== undefined)
  const [example] = told.flatMap((each) => v.getExamples(each))
  const secret = told.some((each) => v.getMetadata(each).secret === true)
  return { schema, doc: doc ?? name, ...(example === undefined ? {} : { example }), ...(secret ? { secret } : {}) }
}

/** Values with the defaults of their section; what a section does not know is left out. */
export function withDefaults(section: Section, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(section).map(([name, { schema }]) => [
      name,
      v.parse(schema, Object.hasOwn(given, name) ? given[name] : undefined),
    ]),
  )
}
