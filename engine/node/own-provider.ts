import { type MapSchema, sectionOf } from '../config/section-of.js'
import { requireName } from '../errors/declaration-error.js'
import { type Provider, providerMark } from './provider.js'

/** What {@link provider} is given: a provider whose settings are an object schema. */
export interface ProviderSpec extends Omit<Provider, 'section'> {
  /** Its section of `~/.kraftwerk.yaml`. */
  readonly schema?: MapSchema
}

/**
 * A provider of your own: exported from a kraftfile, or from a package that a kraftfile passes on, `kraft provision NAME
 * --provider ITS-NAME` makes nodes with it.
 *
 * @throws DeclarationError where its name is not small letters, digits and hyphens.
 * @example
 * export const rack = provider({
 *   name: 'rack',
 *   doc: 'servers in our rack',
 *   create: async ({ name }) => ({ name, provider: 'rack', address: `${name}.rack.example`, user: 'admin', host_keys: ['ssh-ed25519 AAAA…'] }),
 *   describe: async () => 'running',
 *   destroy: async ({ name }, _settings, progress) => progress(`${name} is free`),
 * })
 */
export function provider({ schema, ...spec }: ProviderSpec): Provider {
  requireName('provider', spec.name)
  return Object.assign({ ...spec, section: schema === undefined ? {} : sectionOf(schema) }, { [providerMark]: true })
}
