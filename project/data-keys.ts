import * as v from 'valibot'
import type { Section } from '../engine/config/section.js'

const oneOrMore = (item: v.GenericSchema<string, string>): v.GenericSchema<unknown, string[]> =>
  v.lazy((input) =>
    typeof input === 'string'
      ? v.pipe(
          v.string(),
          v.transform((one) => [one]),
          v.array(item),
        )
      : v.array(item),
  )

/** What kraftwerk.yaml says of the data of an instance beside its services. */
export const dataKeys = ({ command }: { readonly command: v.GenericSchema<string, string> }) =>
  ({
    sanitize: {
      schema: v.optional(oneOrMore(command), []),
      doc: "What makes data harmless that come from another environment, before they are live here: files of SQL, or commands that run in the project's environment, whose services are then the copy",
      example: 'scripts/anonymise.sql',
    },
    snapshot: {
      schema: v.optional(v.boolean(), false),
      doc: 'A deploy keeps a copy of all data before its release command runs, for `kraft rollback --with-data`',
      example: true,
    },
  }) as const satisfies Section
