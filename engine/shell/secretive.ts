import { register } from './redact.js'

const secretive = /SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(^|_)(TOKEN|PASS|SALT|DSN|KEY|APIKEY)S?$/i
const harmless = /(KEY_ID|PUBLIC_KEY|PUBKEY|_FILE|_PATH|_URL|_NAME|_HEADER|_ID)$/i

// A short value is rather a word like `none`, which would then be masked in everything that is printed.
const shortest = 6

/** Whether a variable or setting of this name holds a secret, as far as names tell. */
export function isSecretive(name: string): boolean {
  return secretive.test(name) && !harmless.test(name)
}

/**
 * Registers what is secret in a set of variables: values whose name says so, and the password of any URL.
 *
 * @example registerSecretive({ SECRET_KEY: 'k3y…', DATABASE_URL: 'postgres://shop:pa55word@db/shop' })
 */
export function registerSecretive(variables: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (typeof value !== 'string') continue
    if (isSecretive(name) && value.length >= shortest) register(value)
    for (const [, password = ''] of value.matchAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s/@]+)@/gi)) {
      register(password)
      register(decoded(password))
    }
  }
}

/** A part of an address without its escapes; as it stands where a lone `%` makes it none that was escaped. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
