import { type Credentials, ownCredentials } from '../credentials.js'
import type { Identity } from '../identities.js'
import type { Ask } from '../question.js'
import type { About, Questions, Seen } from './messages.js'

/** Answers what a holder asks while it shakes hands for this process: keys, passphrases and questions to a person stay here. */
export class Answers {
  readonly #credentials: Credentials
  readonly #offered: Identity[] = []
  /** The host keys that were accepted here. */
  readonly accepted: Seen[] = []

  constructor(ask: Ask | undefined) {
    this.#credentials = ownCredentials(ask)
  }

  /** The answer to one question. Throws where a key can't sign. */
  async answer(about: About, asked: unknown): Promise<unknown> {
    switch (about) {
      case 'algorithms':
        return this.#credentials.algorithms(asked as Questions['algorithms']['ask'])
      case 'verify':
        return this.#verify(asked as Seen)
      case 'identities':
        return this.#identities(asked as Questions['identities']['ask'])
      case 'sign':
        return this.#sign(asked as Questions['sign']['ask'])
    }
  }

  async #verify(shown: Seen): Promise<Questions['verify']['reply']> {
    const failure = await this.#credentials.verify(shown, Buffer.from(shown.blob, 'base64'))
    if (failure === undefined) this.accepted.push(shown)
    return failure ?? null
  }

  async #identities({ options }: Questions['identities']['ask']): Promise<Questions['identities']['reply']> {
    const { usable, skipped } = await this.#credentials.identities(options)
    const first = this.#offered.length
    this.#offered.push(...usable)
    return { first, skipped, usable: usable.map(({ label, publicKey }) => ({ label, blob: publicKey.blob.toString('base64') })) }
  }

  async #sign({ number, data, hash }: Questions['sign']['ask']): Promise<string> {
    const identity = this.#offered[number]
    if (identity === undefined) throw new Error('no such key was offered')
    return (await identity.sign(Buffer.from(data, 'base64'), hash)).toString('base64')
  }
}
