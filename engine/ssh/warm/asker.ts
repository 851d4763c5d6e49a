import type { Credentials } from '../credentials.js'
import type { HostCheck } from '../host-key.js'
import { fromBlob } from '../public-key.js'
import type { About, FromClient, FromHolder, Questions, Seen } from './messages.js'

/**
 * The credentials of a client, by asking it: the holder never sees a private key or a passphrase. `seen` is told each host key
 * that the client accepted.
 */
export class Asker implements Credentials {
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #last = 0

  constructor(
    readonly send: (message: FromHolder) => void,
    readonly seen: (seen: Seen) => void,
  ) {}

  algorithms({ destination, options }: HostCheck): Promise<Questions['algorithms']['reply']> {
    return this.#ask('algorithms', { destination, options })
  }

  async verify({ destination, options }: HostCheck, blob: Buffer): ReturnType<Credentials['verify']> {
    const shown = { destination, options, blob: blob.toString('base64') }
    const failure = await this.#ask('verify', shown)
    if (failure !== null) return failure
    this.seen(shown)
    return undefined
  }

  async identities(options: Questions['identities']['ask']['options']): ReturnType<Credentials['identities']> {
    const { usable, first, skipped } = await this.#ask('identities', { options })
    return {
      skipped,
      usable: usable.flatMap(({ label, blob }, index) => {
        const publicKey = fromBlob(Buffer.from(blob, 'base64'))
        if (publicKey === undefined) return []
        const sign = async (data: Buffer, hash: string | undefined): Promise<Buffer> =>
          Buffer.from(await this.#ask('sign', { number: first + index, data: data.toString('base64'), hash }), 'base64')
        return [{ label, publicKey, sign }]
      }),
    }
  }

  /** Hands an answer to whoever waits for it. */
  answer({ id, value, error }: Extract<FromClient, { type: 'answer' }>): void {
    const waiting = this.#open.get(id)
    this.#open.delete(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }

  /** The client is gone. */
  end(): void {
    for (const { reject } of this.#open.values()) reject(new Error('the kraft that connected has ended'))
    this.#open.clear()
  }

  #ask<A extends About>(about: A, ask: Questions[A]['ask']): Promise<Questions[A]['reply']> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      // The other end is this program in the same version, so that a reply has the type of its question.
      this.#open.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.send({ type: 'question', id, about, ask })
    })
  }
}
