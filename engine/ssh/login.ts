import type {
  AuthenticationType,
  AuthHandlerMiddleware,
  BaseAgent,
  IdentityCallback,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2'
import type { Identities, Identity } from './identities.js'

/** Tries one key after the other and keeps what became of each, for the message when none was taken. */
export class Login {
  readonly #left: Identity[]
  readonly #notes: string[]
  readonly #tried: string[] = []
  #methods: readonly AuthenticationType[] = []
  #partial = false
  #askedWithout = false

  /** `waiting` is told when a signature is being made, which may take a person's time. */
  constructor(
    identities: Identities,
    readonly user: string,
    readonly library: typeof import('ssh2'),
    readonly waiting: (isWaiting: boolean) => void,
  ) {
    this.#left = [...identities.usable]
    this.#notes = [...identities.skipped]
  }

  /** The authHandler of ssh2: it is called for each method to try and returns false after the last. */
  readonly handler: AuthHandlerMiddleware = (methods: AuthenticationType[] | null, partial, next) => {
    if (methods !== null) this.#methods = methods
    this.#partial ||= partial
    if (methods !== null && !methods.includes('publickey')) return false
    const identity = this.#left.shift()
    if (identity !== undefined) {
      this.#tried.push(identity.label)
      return next({ type: 'agent', username: this.user, agent: this.#agentOf(identity) })
    }
    if (this.#tried.length > 0 || this.#askedWithout) return false
    this.#askedWithout = true
    return next({ type: 'none', username: this.user })
  }

  /** Why nothing worked, and what to do. */
  explain(): [message: string, next: string] {
    const tried = this.#tried.length === 0 ? 'there was no key to try' : `tried ${this.#tried.join(', ')}`
    const skipped = this.#notes.length === 0 ? '' : `; not tried: ${this.#notes.join('; ')}`
    if (this.#partial) {
      return [
        `the login ${this.user} needs more than a key (${this.#methods.join(', ')}), which kraft cannot give`,
        'Allow a key alone for this login.',
      ]
    }
    if (this.#methods.length > 0 && !this.#methods.includes('publickey')) {
      return [
        `the server takes no keys for ${this.user}, only ${this.#methods.join(', ')}`,
        `Allow PubkeyAuthentication there, and add your key to ~${this.user}/.ssh/authorized_keys.`,
      ]
    }
    return [
      `the server let none of your keys in as ${this.user}: ${tried}${skipped}`,
      `Add your public key to ~${this.user}/.ssh/authorized_keys there, or name another with IdentityFile in ~/.ssh/config.`,
    ]
  }

  // An agent of one key: ssh2 offers its public half first and asks for a signature only when the server takes it.
  #agentOf(identity: Identity): BaseAgent {
    const sign = (data: Buffer, hash: string | undefined, done: SignCallback | undefined): void => {
      this.waiting(true)
      identity
        .sign(data, hash)
        .finally(() => this.waiting(false))
        .then(
          (signature) => done?.(null, signature),
          (error: unknown) => {
            const reason = error instanceof Error ? error : new Error(String(error))
            this.#tried.pop()
            this.#notes.push(`${identity.label}: ${reason.message}`)
            done?.(reason)
          },
        )
    }
    class LoneKey extends this.library.BaseAgent<Buffer> {
      getIdentities(done: IdentityCallback<Buffer>): void {
        done(null, [identity.publicKey.blob])
      }
      sign(_key: Buffer, data: Buffer, options: SigningRequestOptions | SignCallback, done?: SignCallback): void {
        if (typeof options === 'function') sign(data, undefined, options)
        else sign(data, options.hash, done)
      }
    }
    return new LoneKey()
  }
}
