import * as v from 'valibot'
import type { Section } from '../engine/config/section.js'
import { orVault } from './or-vault.js'

/** What a service may set whose server can be elsewhere: the address, and who proves that server. */
export function elsewhereSection(what: string, problem: (address: string) => string | undefined) {
  const address = v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? problem(dataset.value) : undefined
      if (message !== undefined) addIssue({ message })
    }),
  )
  return {
    url: {
      schema: v.optional(orVault(address)),
      doc: `Address of a ${what} elsewhere, which kraft uses and does not set up: as it is, or where a vault has it`,
      example: { op: `op://shop/${what}/url` },
      secret: true,
      quiet: 0,
    },
    authority: {
      schema: v.optional(v.pipe(v.string(), v.startsWith('-----BEGIN CERTIFICATE-----', 'certificates in PEM'))),
      doc: "Who proves that server, as PEM, where that is none of Debian's authorities but one of the provider's own",
      example: '-----BEGIN CERTIFICATE----- …',
    },
  } satisfies Section
}
