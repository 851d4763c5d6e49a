import { chmod } from 'node:fs/promises'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { Section } from '../../../engine/config/section.js'
import { loadUserSettings, providerSettings } from '../../../engine/config/user.js'
import { failureOf, freshHome, settingError } from '../../rig/home.js'

const home = freshHome()
const ec2 = {
  user: { schema: v.optional(v.string()), doc: 'Key id' },
  secret: { schema: v.optional(v.string()), doc: 'Key', secret: true },
  size_id: { schema: v.optional(v.string(), 't3.small'), doc: 'Type' },
  disk: { schema: v.optional(v.number(), 20), doc: 'GB' },
} satisfies Section
const sections = { ec2, local: { image: { schema: v.optional(v.string(), 'bookworm'), doc: 'Debian' } } satisfies Section }

async function load(text: string) {
  await chmod(await home.write('.kraftwerk.yaml', text), 0o600)
  return loadUserSettings(sections)
}

it('without a file everything is left to the defaults', async () => {
  expect(await loadUserSettings(sections)).toMatchObject({ file: undefined, provider: undefined, providers: {}, warnings: [] })
})

it('reads its own keys and a section for each provider', async () => {
  expect(
    await load('provider: ec2\ndefault_node: one\ntemplates: ~/t\npubkey: k.pub\nec2: { disk: 9 }\nlocal: { image: trixie }\n'),
  ).toMatchObject({
    provider: 'ec2',
    default_node: 'one',
    templates: `${home.home}/t`,
    pubkey: `${home.home}/k.pub`,
    providers: { ec2: { disk: 9 }, local: { image: 'trixie' } },
  })
})

describe("the original's flat keys", () => {
  it('belong to the chosen provider', async () => {
    expect((await load('provider: ec2\nuser: AKIA\nsecret: s3\nsize_id: big\n')).providers).toEqual({
      ec2: { user: 'AKIA', secret: 's3', size_id: 'big' },
    })
  })
  it('need a provider', async () => {
    expect(await settingError(load('secret: x'))).toMatchObject({ at: '1:1', message: expect.stringContaining('none is chosen') })
  })
  it('that the provider does not have are errors', async () => {
    expect(await settingError(load('provider: local\nsecret: x'))).toMatchObject({
      at: '2:1',
      message: expect.stringContaining('Unknown key "secret"'),
    })
  })
  it('may not stand in the section as well', async () => {
    expect((await settingError(load('provider: ec2\nsecret: x\nec2: { secret: y }'))).message).toContain('no value has two homes')
  })
})

it('KRAFT_ variables win', async () => {
  Object.assign(process.env, { KRAFT_PROVIDER: 'ec2', KRAFT_DEFAULT_NODE: 'two', KRAFT_EC2_SECRET: '0123', KRAFT_EC2_DISK: '7' })
  expect(await load('provider: local\ndefault_node: one\nec2: { disk: 9, secret: x }')).toMatchObject({
    provider: 'ec2',
    default_node: 'two',
    providers: { ec2: { secret: '0123', disk: 7 } },
  })
})

it('a wrong variable is named', async () => {
  process.env.KRAFT_EC2_DISK = 'large'
  expect(await settingError(loadUserSettings(sections))).toMatchObject({
    file: 'KRAFT_EC2_DISK',
    message: '"disk" should be a number, not "large"',
  })
})

it.each([
  ['provdier: ec2', '1:1', 'Did you mean "provider"?'],
  ['provider: ec3', '1:11', 'Did you mean "ec2"?'],
  ['ecc2: {}', '1:1', 'Did you mean "ec2"?'],
  ['ec2: { dsk: 3 }', '1:8', 'Did you mean "disk"?'],
  ['ec2: { disk: x }', '1:14', '"ec2.disk" should be a number'],
  ['- x', '1:1', 'should be a map'],
])('%j is an error', async (text, at, message) => {
  expect(await settingError(load(text))).toMatchObject({ at, message: expect.stringContaining(message) })
})

it('warns where others can read secrets, and only then', async () => {
  const file = await home.write('.kraftwerk.yaml', 'provider: ec2\nsecret: x')
  await chmod(file, 0o644)
  expect((await loadUserSettings(sections)).warnings).toEqual([expect.stringContaining(`chmod 600 ${file}`)])
  await chmod(file, 0o600)
  expect((await loadUserSettings(sections)).warnings).toEqual([])
})

it("only the home's file counts, and nothing in the current folder runs", async () => {
  await home.write('calculator/.kraftwerk.yaml', 'provider: ec2')
  await home.write('calculator/.config/config.cjs', 'globalThis.planted = true; module.exports = {}')
  const cwd = process.cwd()
  process.chdir(home.project)
  try {
    expect((await loadUserSettings(sections)).provider).toBeUndefined()
    expect(globalThis).not.toHaveProperty('planted')
    expect(process.cwd()).toBe(home.project)
  } finally {
    process.chdir(cwd)
  }
})

describe("a provider's settings", () => {
  it('are options over files over defaults', async () => {
    const user = await load('ec2: { disk: 9, user: me }')
    expect(await providerSettings(user, 'ec2', ec2, { disk: 5 })).toEqual({
      user: 'me',
      secret: undefined,
      size_id: 't3.small',
      disk: 5,
    })
  })
  it('name the option that is wrong or unknown', async () => {
    const user = await load('')
    expect(await failureOf(providerSettings(user, 'ec2', ec2, { disk: 'x' }))).toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('--set disk should be a number'),
    })
    expect(await failureOf(providerSettings(user, 'ec2', ec2, { dsk: 1 }))).toMatchObject({
      message: expect.stringContaining('Did you mean "disk"?'),
    })
  })
})
