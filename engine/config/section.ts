import type { GenericSchema } from 'valibot'

/**
 * A part of the settings as the file that needs it declares it: each key with its schema (valibot), its documentation and an
 * example. Validation, help, the JSON schema and the docs are made from it.
 *
 * @example
 * const section: Section = {
 *   image: { schema: v.optional(v.picklist(['bookworm', 'trixie']), 'bookworm'), doc: 'Debian release of the node', example: 'trixie' },
 * }
 */
export type Section = Readonly<Record<string, Key>>

/** One key of a {@link Section}. */
export interface Key {
  readonly schema: GenericSchema
  readonly doc: string
  readonly example?: unknown
  /** The value is masked wherever it would be printed. */
  readonly secret?: boolean
  /** Variables that say it as well where nothing sets it: those of the provider's own tools. */
  readonly variables?: readonly string[]
  /** From so many levels below it messages do not repeat what was written, because secrets may stand there. */
  readonly quiet?: number
}
