import * as v from 'valibot'
import type { Section } from './section.js'

/** What `~/.kraftwerk.yaml` holds at its top, beside the sections of the providers. */
export function userSection(providers: readonly string[]) {
  return {
    provider: {
      schema: v.optional(v.picklist(providers)),
      doc: 'What makes nodes where nothing else is said',
      example: providers[0],
    },
    default_node: {
      schema: v.optional(v.pipe(v.string(), v.nonEmpty('a name'))),
      doc: 'Node for tasks that were given no target',
      example: 'one',
    },
    templates: {
      schema: v.optional(v.pipe(v.string(), v.nonEmpty('a folder'))),
      doc: 'Folder whose templates override the built-in ones',
      example: '~/templates',
    },
    pubkey: {
      schema: v.optional(v.pipe(v.string(), v.nonEmpty('a file'))),
      doc: 'Your public key, for new nodes',
      example: '~/.ssh/id_ed25519.pub',
    },
    keep_connections: {
      schema: v.optional(
        v.union([v.literal(false), v.pipe(v.number(), v.minValue(0), v.maxValue(86_400))], 'seconds from 0 to 86400, or false'),
      ),
      doc: 'Seconds that an SSH connection stays open for the next command; 0 or false closes it at once',
      example: 60,
    },
  } satisfies Section
}

/** Keys of the file that are somebody else's to validate: known, and anything goes. */
export function placeholders(keys: readonly string[]): Section {
  return Object.fromEntries(keys.map((key) => [key, { schema: v.unknown(), doc: 'The settings of a provider' }]))
}
