import { inspect } from 'node:util'
import { mask, register } from './redact.js'

const mark = Symbol.for('kraftwerk.secret')
const values = new WeakMap<Secret, string>()

/**
 * A value that can't be printed: `String`, JSON, template strings and `console.log` all show `[secret]`, and whatever kraft prints
 * has the value masked, wherever it comes from.
 * {@link reveal} is the one way out, used where the value leaves for the node over a channel of its own.
 */
export class Secret {
  readonly [mark] = true
  constructor(
    value: string,
    readonly name = 'secret',
  ) {
    values.set(this, value)
    register(value)
  }
  toString(): string {
    return mask
  }
  toJSON(): string {
    return mask
  }
  [inspect.custom](): string {
    return `[secret ${this.name}]`
  }
}

/**
 * Wraps a value so that no log, error or script can show it.
 *
 * @example environ: { API_KEY: secret(process.env.API_KEY ?? '', 'API_KEY') }
 */
export function secret(value: string, name?: string): Secret {
  return new Secret(value, name)
}

/**
 * The value of a secret, for where it has to leave: a file of mode 0600, the body of a request. Never for a command line or a message.
 *
 * @throws TypeError where another copy of kraftwerk made it.
 * @example reveal(secret('s3cret')) // 's3cret'
 */
export function reveal(from: Secret): string {
  const value = values.get(from)
  if (value === undefined) throw new TypeError('This secret was made by another copy of kraftwerk')
  return value
}

/**
 * Tells a secret, also one that another copy of kraftwerk made.
 *
 * @example isSecret(secret('s3cret')) // true
 */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && mark in value
}
