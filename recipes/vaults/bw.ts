import { defineVault } from '../../project/vault.js'

/** Bitwarden, by its command line. */
export const vault = defineVault({
  name: 'bw',
  doc: 'Bitwarden: an item and, behind a slash, its field (password, username, totp, notes or one of its own), read by `bw`',
  example: 'stripe/key',
  login: 'Log in and unlock: bw login, then export BW_SESSION="$(bw unlock --raw)"',
  command: (reference) => ['bw', '--nointeraction', 'get', 'item', split(reference).item],
  read(printed, reference) {
    const { field } = split(reference)
    const value = fieldOf(JSON.parse(printed), field)
    if (typeof value !== 'string') throw new Error(`the item has no field "${field}"`)
    return value
  },
})

/** What is read here of an item. */
interface Item {
  readonly login?: { readonly [field in 'password' | 'username' | 'totp']?: string | null } | null
  readonly notes?: string | null
  readonly fields?: readonly { readonly name?: string | null; readonly value?: string | null }[] | null
}

function split(reference: string): { readonly item: string; readonly field: string } {
  const at = reference.lastIndexOf('/')
  return at < 1 ? { item: reference, field: 'password' } : { item: reference.slice(0, at), field: reference.slice(at + 1) }
}

function fieldOf({ login, notes, fields }: Item, field: string): unknown {
  if (field === 'notes') return notes
  if (field === 'password' || field === 'username' || field === 'totp') return login?.[field]
  return fields?.find(({ name }) => name === field)?.value
}
