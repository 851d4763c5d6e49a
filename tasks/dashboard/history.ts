/** Numbers that were measured at one moment, by name. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly values: Readonly<Record<string, number>>
}

/** What was measured one after the other: the newest so many, in memory alone. */
export class History {
  readonly #samples: Sample[] = []

  constructor(readonly most: number) {}

  /** Adds a sample, the newest. */
  add(sample: Sample): void {
    this.#samples.push(sample)
    if (this.#samples.length > this.most) this.#samples.shift()
  }

  /** The oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples
  }
}
