/** A mistake in a file, and what whoever made it should read. */
export interface Mistake {
  /** What was done, in a few words. */
  readonly what: string
  readonly text: string | Buffer
  /** `line:column`. */
  readonly at: string
  /** The cause, as far as it matters. */
  readonly says: string
  /** The remedy, as far as it matters. */
  readonly next: string
  /** What lies beside it. */
  readonly files?: Readonly<Record<string, string>>
}
