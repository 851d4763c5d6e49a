/**
 * Lets only so many through at once; the others wait in the order in which they came.
 *
 * @example const leave = await gate.enter(); try { await work() } finally { leave() }
 */
export class Gate {
  readonly #waiting: (() => void)[] = []
  #inside = 0
  #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many are inside now. */
  get inside(): number {
    return this.#inside
  }

  /** Waits for a place and returns what gives it back; giving it back twice is harmless. */
  async enter(): Promise<() => void> {
    if (this.#inside >= this.#limit || this.#waiting.length > 0) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#inside++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#inside--
      this.#admit()
    }
  }

  /** Runs `body` with a place. */
  async through<T>(body: () => Promise<T>): Promise<T> {
    const leave = await this.enter()
    try {
      return await body()
    } finally {
      leave()
    }
  }

  /** Lowers the limit to what the other side turned out to bear, never below one. */
  narrow(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, limit))
  }

  #admit(): void {
    while (this.#inside < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#inside++
      next()
    }
  }
}
