import { isSecretive } from '../engine/shell/secretive.js'

const address = /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:[^\s/@]+@/i

/**
 * Whether a value of kraftwerk.yaml is a secret, as far as its key and what it looks like tell: a password, a webhook, an address with a
 * password in it. What a vault is asked for is none.
 *
 * @example isWrittenSecret('API_TOKEN', 'abc') // true
 */
export function isWrittenSecret(key: string | number | undefined, value: unknown): value is string | number {
  if (typeof value !== 'string' && typeof value !== 'number') return false
  if (address.test(String(value))) return true
  // A lone `key` is a file or an id.
  return typeof key === 'string' && key !== 'key' && (isSecretive(key) || key === 'webhook') && String(value) !== ''
}
