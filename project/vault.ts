import { requireName } from '../engine/errors/declaration-error.js'

/** Marks one that a kraftfile exports; registered, so that another copy of kraftwerk makes what this one takes. */
export const vaultMark = Symbol.for('kraftwerk.vault')

/**
 * Where values of `environ:` can be fetched from: `API_KEY: { NAME: REFERENCE }`. A vault builds the command of its own program, which
 * kraft runs on this machine. One file in recipes/vaults/ exports `vault`, named like the file.
 * One of a kraftfile is made by the function `vault`.
 */
export interface Vault {
  /** As it stands before the reference: small letters, digits and hyphens. */
  readonly name: string
  /** One line for the docs. */
  readonly doc: string
  /** A reference, as it stands in kraftwerk.yaml. */
  readonly example: string
  /** What to do where the command fails. */
  readonly login: string
  /** What a reference should be, where this one is wrong; said before anything runs. */
  problem?(reference: string): string | undefined
  /** The program and its arguments, which print the value; no shell reads them. */
  command(reference: string): readonly [program: string, ...args: string[]]
  /** The value in what was printed; all of it but a last line break if left out. What it throws is told, so it repeats nothing. */
  read?(printed: string, reference: string): string
}

/** A value of `environ:` or `index:` that is not written there but fetched. */
export interface Reference {
  readonly vault: string
  readonly reference: string
}

/** Tells a reference from a value. */
export function isReference(value: unknown): value is Reference {
  return typeof value === 'object' && value !== null && 'vault' in value && 'reference' in value
}

/** Gives a vault its type. */
export function defineVault(vault: Vault): Vault {
  return vault
}

/**
 * A vault of your own: exported from a kraftfile, or from a package that a kraftfile passes on, values of `environ:` can name it
 * like a built-in one.
 *
 * @throws DeclarationError where its name is not small letters, digits and hyphens.
 * @example
 * export const gopass = vault({
 *   name: 'gopass',
 *   doc: 'gopass',
 *   example: 'shop/api',
 *   login: 'Is the key of gopass unlocked?',
 *   command: (path) => ['gopass', 'show', '--password', path],
 * })
 */
export function vault(spec: Vault): Vault {
  requireName('vault', spec.name)
  return Object.assign({ ...spec }, { [vaultMark]: true })
}
