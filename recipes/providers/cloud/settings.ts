import * as v from 'valibot'
import type { Section } from '../../../engine/config/section.js'
import type { Values } from '../../../engine/config/validate.js'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Missing } from '../../../engine/node/provider.js'
import { register } from '../../../engine/shell/redact.js'
import { isSecret, reveal } from '../../../engine/shell/secret.js'
import { isCidr } from './cidr.js'

/** Some text. */
export const text = v.pipe(v.string(), v.nonEmpty('some text'))
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))
const login = v.pipe(text, v.regex(/^[a-z_][a-z0-9_-]*$/, 'a login is made of small letters, digits, - and _'))
const cidr = v.pipe(text, v.check(isCidr, 'a range of addresses looks like 203.0.113.0/24 or 2001:db8::/32'))

/** Examples and a default that differ from cloud to cloud. */
export interface Particulars {
  readonly image: string
  readonly size: string
  readonly region: string
  readonly login: string
}

/** The settings that every cloud has. */
export function machineSection({ image, size, region, login: user }: Particulars) {
  return {
    location_id: { schema: v.optional(text), doc: 'Where the node is: `kraft regions` lists them', example: region },
    image_id: { schema: v.optional(text), doc: 'Image; without it Debian 12. `kraft images` lists them', example: image },
    size_id: {
      schema: v.optional(text),
      doc: 'Size; without it the smallest with 2 GB of memory. `kraft sizes` lists them',
      example: size,
    },
    login: { schema: v.optional(login, user), doc: 'User who logs in: root, or one with sudo', example: user },
    port: { schema: v.optional(port, 22), doc: 'Port that sshd listens on', example: 22 },
    allow_ssh: {
      schema: v.optional(cidr, '0.0.0.0/0'),
      doc: 'Addresses that may reach ssh, as CIDR',
      example: '203.0.113.7/32',
    },
    endpoint: {
      schema: v.optional(v.pipe(text, v.url('a URL'))),
      doc: "URL of the API, where it is not the provider's own",
    },
  } satisfies Section
}

/** What every cloud's settings hold. */
export type MachineSettings = Values<ReturnType<typeof machineSection>>

/** Gives merged settings their types, and keeps secrets among them from being printed. Throws a KraftError `usage`. */
export function settingsOf<S extends Section>(provider: string, section: S, given: Readonly<Record<string, unknown>>): Values<S> {
  const values = Object.entries(section).map(([key, { schema, secret, example }]) => {
    const value = given[key]
    const plain = isSecret(value) ? reveal(value) : value
    if (secret === true && typeof plain === 'string') register(plain)
    const result = v.safeParse(schema, plain)
    if (result.success) return [key, result.output]
    throw new KraftError({
      kind: 'usage',
      message: `Setting ${key} of the provider ${provider}: ${result.issues[0].message}`,
      next: `Correct it in ~/.kraftwerk.yaml${example === undefined ? '' : `, e.g. ${key}: ${example}`}.`,
    })
  })
  return Object.fromEntries(values) as Values<S>
}

/** The first of these variables that is set; kept from being printed. */
export function fromVariables(names: readonly string[], environ: NodeJS.ProcessEnv = process.env): string | undefined {
  const found = names.map((name) => environ[name]?.trim()).find((value) => value !== undefined && value !== '')
  if (found !== undefined) register(found)
  return found
}

/** Those of the keys that are neither set nor in a variable. */
export function missingKeys(
  settings: Readonly<Record<string, unknown>>,
  needed: Readonly<Record<string, readonly string[]>>,
): readonly Missing[] {
  return Object.entries(needed)
    .filter(([key, variables]) => settings[key] === undefined && fromVariables(variables) === undefined)
    .map(([key, variables]) => ({ key, variables, ...(key === 'location_id' ? { toMake: true as const } : {}) }))
}

/** Throws the KraftError for what is missing, where nobody was asked for it. */
export function requireSettings(provider: string, missing: readonly Missing[]): void {
  if (missing.length > 0) throw missingSettings(provider, missing)
}

/** What to say of settings that are missing: every key, and every variable that would do. */
export function missingSettings(provider: string, missing: readonly Missing[]): KraftError {
  const keys = missing.map(({ key }) => key)
  const ways = missing.map(({ key, variables }) => [`KRAFT_${provider}_${key}`.toUpperCase().replaceAll('-', '_'), ...variables])
  return new KraftError({
    kind: 'usage',
    message: `The provider ${provider} needs ${keys.join(' and ')}`,
    next: `Set ${keys.join(' and ')} below ${provider} in ~/.kraftwerk.yaml, or in the environment: ${ways
      .map((names) => names.join(' or '))
      .join('; ')}.`,
  })
}
