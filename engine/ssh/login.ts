import type {
  AuthenticationType,
  AuthHandlerMiddleware,
  BaseAgent,
  IdentityCallback,
  NextAuthHandler,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2'
import { isKraftError, type KraftError } from '../errors/failure.js'
import { reveal, type Secret } from '../shell/secret.js'
import type { AskedOnce } from './asked-once.js'
import type { Identities, Identity } from './identities.js'

/** Tries one key after the other, then a password if that was asked for, and keeps what became of each, for the message when none was taken. */
export class Login {
  readonly #left: Identity[]
  readonly #notes: string[]
  readonly #tried: string[] = []
  #methods: readonly AuthenticationType[] = []
  #partial = false
  #askedWithout = false
  #wrong: Secret | undefined
  #stopped: KraftError | undefined

  /** `waiting` is told when a signature is being made or a password typed, which may take a person's time. */
  constructor(
    identities: Identities,
    readonly user: string,
    readonly library: typeof import('ssh2'),
    readonly waiting: (isWaiting: boolean) => void,
    readonly password?: AskedOnce | undefined,
  ) {
    this.#left = [...identities.usable]
    this.#notes = [...identities.skipped]
  }

  /** The authHandler of ssh2: it is called for each method to try and returns false after the last. */
  readonly handler: AuthHandlerMiddleware = (methods: AuthenticationType[] | null, partial, next) => {
    if (methods !== null) this.#methods = methods
    this.#partial ||= partial
    if (methods !== null && !methods.includes('publickey')) return this.#typed(next)
    const identity = this.#left.shift()
    if (identity !== undefined) {
      this.#tried.push(identity.label)
      return next({ type: 'agent', username: this.user, agent: this.#agentOf(identity) })
    }
    if (this.#tried.length > 0 || this.#askedWithout) return this.#typed(next)
    this.#askedWithout = true
    return next({ type: 'none', username: this.user })
  }

  /** What a person who was asked for the password ended everything with. */
  get stopped(): KraftError | undefined {
    return this.#stopped
  }

  // ssh2 goes on when it gets `next`: undefined only says that this takes a while.
  #typed(next: NextAuthHandler): false | undefined {
    const method = (['password', 'keyboard-interactive'] as const).find((each) => this.#methods.includes(each))
    if (this.password === undefined || method === undefined) return false
    this.waiting(true)
    this.password
      .get(this.#wrong)
      .finally(() => this.waiting(false))
      .then(
        (secret) => {
          if (secret === undefined) return giveUp(next)
          this.#wrong = secret
          const username = this.user
          if (method === 'password') return next({ type: method, username, password: reveal(secret) })
          next({
            type: method,
            username,
            prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => reveal(secret))),
          })
        },
        (error: unknown) => {
          if (isKraftError(error)) this.#stopped = error
          giveUp(next)
        },
      )
    return undefined
  }

  /** Why nothing worked, and what to do. */
  explain(): [message: string, next: string] {
    const tried = this.#tried.length === 0 ? 'there was no key to try' : `tried ${this.#tried.join(', ')}`
    const skipped = this.#notes.length === 0 ? '' : `; not tried: ${this.#notes.join('; ')}`
    const typed = this.#methods.some((each) => each === 'password' || each === 'keyboard-interactive')
    const orTyped = typed && this.password === undefined ? ' Or type the password: --ask-password.' : ''
    if (typed && this.password !== undefined) {
      return [
        `${this.#wrong === undefined ? 'there was no password' : 'the server did not take the password'} for ${this.user}; ${tried}${skipped}`,
        'Call kraft again with the right one, in a terminal with --ask-password or in KRAFT_PASSWORD.',
      ]
    }
    if (this.#partial) {
      return [
        `the login ${this.user} needs more than a key (${this.#methods.join(', ')}), which kraft cannot give`,
        `Allow a key alone for this login.${orTyped}`,
      ]
    }
    if (this.#methods.length > 0 && !this.#methods.includes('publickey')) {
      return [
        `the server takes no keys for ${this.user}, only ${this.#methods.join(', ')}`,
        `Allow PubkeyAuthentication there, and add your key to ~${this.user}/.ssh/authorized_keys.${orTyped}`,
      ]
    }
    return [
      `the server let none of your keys in as ${this.user}: ${tried}${skipped}`,
      `Add your public key to ~${this.user}/.ssh/authorized_keys there, or name another with IdentityFile in ~/.ssh/config.${orTyped}`,
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

// ssh2's types forget what its documentation says: false ends the attempts.
function giveUp(next: NextAuthHandler): void {
  Reflect.apply(next, undefined, [false])
}
