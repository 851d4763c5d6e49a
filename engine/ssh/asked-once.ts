import { type Secret, secret } from '../shell/secret.js'
import { type Ask, alone } from './question.js'

/** How a {@link AskedOnce} asks. */
export interface Asking {
  /** What a person reads. */
  readonly question: string
  /** Puts the question; left out where there is nobody to ask. */
  readonly ask?: Ask | undefined
  /** The answer that was given beforehand, in the environment. */
  readonly given?: string | undefined
}

const attempts = 3

/**
 * A password that several nodes may want and a person types once for all. Whoever was refused with it asks {@link get} again;
 * nodes that were refused with the same one share the next question, and after three in all there is none.
 */
export class AskedOnce {
  #now: Promise<Secret | undefined> | undefined
  #asked = 0
  #isFirst = true

  constructor(readonly asking: Asking) {}

  /** Whether there is anybody to ask. */
  get isAsked(): boolean {
    return this.asking.ask !== undefined
  }

  /** The password; `wrong` is the one that was refused. Undefined where there is none (any more). */
  async get(wrong?: Secret): Promise<Secret | undefined> {
    for (;;) {
      this.#now ??= this.#next()
      const pending = this.#now
      const answer = await pending
      if (answer === undefined || answer !== wrong) return answer
      // Another node may have asked anew meanwhile.
      if (this.#now === pending) this.#now = undefined
    }
  }

  async #next(): Promise<Secret | undefined> {
    const { question, ask, given } = this.asking
    const isFirst = this.#isFirst
    this.#isFirst = false
    if (isFirst && given !== undefined && given !== '') return secret(given, 'password')
    if (ask === undefined || this.#asked === attempts) return undefined
    this.#asked++
    const message = isFirst ? question : `That was not it. ${question}`
    const answer = await alone(() => ask({ kind: 'secret', message }))
    return typeof answer === 'string' && answer !== '' ? secret(answer, 'password') : undefined
  }
}

/** Takes a password out of the environment, so that no program that kraft starts here inherits it. */
export function takeVariable(name: string): string | undefined {
  const value = process.env[name]
  delete process.env[name]
  return value
}
