import * as v from 'valibot'
import { expect, it } from 'vitest'
import type { Section } from '../../../engine/config/section.js'
import { checkLayer, validate } from '../../../engine/config/validate.js'
import { parseYaml } from '../../../engine/config/yaml.js'
import { settingError } from '../../rig/home.js'

const section = {
  domain: { schema: v.string(), doc: 'Domain of the site', example: 'example.com' },
  workers: { schema: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 2), doc: 'Processes', example: 4 },
  kind: { schema: v.optional(v.picklist(['bookworm', 'trixie'])), doc: 'Release of Debian' },
  image: { schema: v.optional(v.pipe(v.string(), v.regex(/^ami-/, 'An image looks like ami-1'))), doc: 'Image' },
  flag: { schema: v.optional(v.boolean()), doc: 'Yes or no' },
  environ: {
    schema: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Z]+$/, 'capitals')), v.string())),
    doc: 'Variables',
    quiet: 0,
  },
  secret: { schema: v.optional(v.pipe(v.string(), v.minLength(8))), doc: 'A key', secret: true },
} satisfies Section

async function wrong(text: string) {
  const file = await parseYaml(text, 'k.yaml')
  return settingError((async () => validate(section, file))())
}

it('gives values with their defaults', async () => {
  expect(validate(section, await parseYaml('domain: a.b', 'k.yaml'))).toEqual({
    domain: 'a.b',
    workers: 2,
    kind: undefined,
    image: undefined,
    flag: undefined,
    environ: undefined,
    secret: undefined,
  })
})

it('a layer has only what is there', async () => {
  expect(checkLayer(section, await parseYaml('env:\n  workers: 3\n', 'k.yaml'), ['env']).values).toEqual({ workers: 3 })
})

it('an unknown key names the nearest right word and all of them, at the key', async () => {
  const error = await wrong('domain: a.b\nwrokers: 3\n')
  expect(error).toMatchObject({ at: '2:1', message: 'Unknown key "wrokers". Did you mean "workers"?' })
  expect(error.next).toContain('domain, workers, kind')
})

it.each([
  ['domain: 123', '1:9', '"domain" should be text, not the number 123'],
  ['domain: a\nworkers: four', '2:10', '"workers" should be a number, not "four"'],
  ['domain: a\nworkers: 0', '2:10', '"workers" should be at least 1, not the number 0'],
  ['domain: a\nworkers: 1.5', '2:10', '"workers" should be a whole number, not the number 1.5'],
  ['domain: a\nkind: trixy', '2:7', '"kind" should be bookworm or trixie, not "trixy". Did you mean "trixie"?'],
  ['domain: a\nflag: "no"', '2:7', '"flag" should be true or false, not "no"'],
  ['domain: a\nimage: x', '2:8', '"image" cannot be "x": An image looks like ami-1'],
  ['domain: [a]', '1:9', '"domain" should be text, not a list'],
  ['domain: a\nworkers:', '2:9', '"workers" should be a number, not nothing'],
  ['workers: 3', '1:1', '"domain" is missing: Domain of the site'],
  ['- a', '1:1', 'This file should be a map of keys to values'],
  ['domain: a\n__proto__: 1', '2:1', 'Unknown key "__proto__"'],
])('%j', async (text, at, message) => {
  const error = await wrong(text)
  expect(error.message).toContain(message)
  expect(error.at).toBe(at)
})

it('the first mistake of the file comes first, and the others are counted', async () => {
  const error = await wrong('nonsense: 1\nworkers: x\ndomain: 3\n')
  expect(error).toMatchObject({
    at: '1:1',
    message: expect.stringMatching(/^Unknown key "nonsense"\. \(and 2 more mistakes in the settings\)$/),
  })
})

it.each([
  ['domain: a\nenviron: TOKEN=c4nary', '"environ" should be a map'],
  ['domain: a\nenviron: { TOKEN=c4nary }', 'The key "TOKEN=…" in "environ" should be capitals'],
  ['domain: a\nenviron: [TOKEN=c4nary]', '"environ"'],
  ['domain: a\nenviron: { TOKEN: 4242 }', '"environ.TOKEN" should be text'],
])('what may hold secrets is not repeated: %j', async (text, message) => {
  const error = await wrong(text)
  expect(error.message).toContain(message)
  expect(error.message).not.toMatch(/c4nary|4242/)
})

it('a secret is not repeated', async () => {
  const error = await wrong('domain: a\nsecret: hunter2')
  expect(error.message).not.toContain('hunter2')
})
