import { type JsonSchema, sectionSchema } from '../engine/config/json-schema.js'
import { isMap } from '../engine/config/value-at.js'
import { environmentSection, projectSection } from './section.js'
import type { Service } from './service.js'

/** The JSON Schema of kraftwerk.yaml with these services and vaults, for editors. */
export function projectSchema(services: readonly Service[], vaults: readonly string[]): JsonSchema {
  const known = { services: services.map(({ name }) => name), vaults }
  const items = { anyOf: services.flatMap(asked) }
  const withServices = (schema: JsonSchema): JsonSchema => {
    const properties = isMap(schema.properties) ? schema.properties : {}
    const list = isMap(properties.services) ? properties.services : {}
    return { ...schema, properties: { ...properties, services: { ...list, type: 'array', items } } }
  }
  const project = withServices(sectionSchema(projectSection(known)))
  // Nothing in an environment is required: it overrides.
  const { required: _required, ...environment } = withServices(sectionSchema(environmentSection(known)))
  const properties = isMap(project.properties) ? project.properties : {}
  const environments = isMap(properties.environments) ? properties.environments : {}
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'kraftwerk.yaml',
    ...project,
    properties: {
      ...properties,
      environments: { ...environments, additionalProperties: { anyOf: [environment, { type: 'null' }] } },
    },
  }
}

/** How a service can be asked for: by its name, unless it needs settings, or with them. */
function asked({ name, doc, section }: Service): readonly JsonSchema[] {
  const settings = { description: doc, ...sectionSchema(section) }
  const alone: JsonSchema = { const: name, description: doc }
  const map = {
    // Editors show it where several kinds of value are possible.
    title: `${name} with settings`,
    type: 'object',
    description: doc,
    properties: { [name]: settings },
    required: [name],
    additionalProperties: false,
  }
  return 'required' in settings ? [map] : [alone, map]
}
