import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { projectSchema } from '../../project/project-schema.js'
import { environmentSection, projectSection } from '../../project/section.js'
import { loadProject } from '../../project/settings.js'
import { writeSkeleton } from '../../project/skeleton.js'
import { kindNames, loadKinds } from '../../recipes/kinds.js'
import { freshHome } from '../rig/home.js'
import { documentWith, misspellings, schemaKeys } from '../rig/schema-keys.js'

const root = join(import.meta.dirname, '../..')
const services = await loadKinds('services')
const vaults = kindNames('vaults')
const schema = projectSchema(services, vaults)
// Strict: a schema that says what does not count is refused, as editors would not say.
const validator = new Ajv({ strict: true }).compile(schema)

/** What a validator of JSON Schema says of a kraftwerk.yaml; nothing where it is right. */
function wrong(document: unknown): unknown {
  return validator(document) ? undefined : validator.errors
}

it.each(await readdir(join(root, 'examples')))('takes the kraftwerk.yaml of examples/%s', async (example) => {
  expect(wrong(parse(await readFile(join(root, 'examples', example, 'kraftwerk.yaml'), 'utf8')))).toBeUndefined()
})

it('takes the kraftwerk.yaml in the README', async () => {
  const [, text] = /```yaml\n(version: 1\n[\s\S]*?)```/.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? []
  expect(wrong(parse(text ?? 'null'))).toBeUndefined()
})

it.each(['django', 'flask', 'wsgi'])('takes what init writes for %s, which names it for editors', async (framework) => {
  const parent = await mkdtemp(join(tmpdir(), 'kraft-schema-'))
  try {
    const folder = join(parent, 'my-shop')
    await writeSkeleton({ folder, name: 'my-shop', framework, templates: [join(root, 'templates')], version: '1.2.3' })
    const text = await readFile(join(folder, 'kraftwerk.yaml'), 'utf8')
    expect(wrong(parse(text))).toBeUndefined()
    expect(await namedSchema(text)).toEqual(schema)
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
})

it('is named in the kraftwerk.yaml that init writes for a project that is there', async () => {
  expect(await namedSchema(await readFile(join(root, 'templates/init/kraftwerk.yaml.ejs'), 'utf8'))).toEqual(schema)
})

/** The schema that the first line names, as the package brings it into node_modules. */
async function namedSchema(text: string): Promise<unknown> {
  const named = /^# yaml-language-server: \$schema=node_modules\/kraftwerk\/(\S+)\n/.exec(text)?.[1] ?? 'none'
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly files: readonly string[] }
  expect(files).toContain(named)
  expect(dirname(named)).toBe('.')
  return JSON.parse(await readFile(join(root, named), 'utf8'))
}

const known = { services: services.map(({ name }) => name), vaults }
const home = freshHome()

it.each(Object.entries(projectSection(known)))('takes the example of %s, and knows what it is', (key, { example, doc }) => {
  expect(wrong({ [key]: example })).toBeUndefined()
  expect(wrong({ environments: { stage: key in environmentSection(known) ? { [key]: example } : null } })).toBeUndefined()
  expect(schema.properties).toHaveProperty(`${key}.description`, doc)
})

it.each(services.map(({ name, section }) => ({ name, section })))(
  'takes the service $name with the examples of its settings',
  ({ name, section }) => {
    const settings = Object.entries(section).flatMap(([key, { example }]) => (example === undefined ? [] : [[key, example]]))
    expect(wrong({ services: [{ [name]: Object.fromEntries(settings) }] })).toBeUndefined()
  },
)

it.each([
  'backup: false',
  'protect: false',
  'release: false',
  'https: false',
  'https: { email: ada@example.com }',
  'packages: django pillow',
  'index: [https://pypi.example.com/simple, { url: https://pypi.org/simple, user: ada }]',
  'notify: [{ command: say done, on: [failure] }, { webhook: https://chat.example.com/1 }]',
  'environ: { DEBUG: false, RATE: 1.5, KEY: { op: op://shop/key } }',
  'hooks: { after-switch: { local: say done }, before-build: [make] }',
  'processes: { worker: { command: celery worker, count: 2 }, other: python other.py }',
  'environments: { stage: , live: { nodes: one, protect: { user: ada, password: long-enough } } }',
])('takes each form that kraft takes: %s', async (text) => {
  await home.write('calculator/kraftwerk.yaml', text)
  await loadProject(home.project, known)
  expect(wrong(parse(text))).toBeUndefined()
})

it('refuses every key that is misspelt, wherever it stands', () => {
  const keys = schemaKeys(schema)
  expect(keys.length).toBeGreaterThan(200)
  const taken = keys.flatMap(({ path, key, known }) =>
    misspellings(key)
      .filter((word) => !known.includes(word) && wrong(documentWith([...path, word], 'x')) === undefined)
      .map((word) => [...path, word].join('.')),
  )
  expect(taken).toEqual([])
})

it('describes every key', () => {
  const bare = schemaKeys(schema).filter(({ path, key }) => descriptionAt([...path, key]) === undefined)
  expect(bare.map(({ path, key }) => [...path, key].join('.'))).toEqual([])
})

/** What the schema says of a key: the descriptions on the way there are searched for in each of their forms. */
function descriptionAt(path: readonly (string | number)[]): unknown {
  const forms = path.reduce<readonly unknown[]>((all, part) => all.flatMap((each) => inside(each, part)), [schema])
  return forms.flatMap((each) => (isMap(each) && typeof each.description === 'string' ? [each.description] : []))[0]
}

function inside(schema: unknown, part: string | number): readonly unknown[] {
  if (!isMap(schema)) return []
  const own = typeof part === 'number' ? schema.items : isMap(schema.properties) ? schema.properties[part] : undefined
  const any = typeof part === 'number' ? [] : [schema.additionalProperties]
  const forms = Array.isArray(schema.anyOf) ? schema.anyOf.flatMap((each) => inside(each, part)) : []
  return [...(own === undefined ? any : [own]), ...forms].filter(isMap)
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
