import type { Secret } from '../engine/shell/secret.js'
import type { ProtectSetting } from './protect-schema.js'

/** Who may come in. */
export interface Login {
  readonly user: string
  readonly password: { readonly value: Secret /** It is a hash already. */; readonly hashed: boolean }
}

/** How a site is kept from the public. */
export interface Protect {
  /** What a browser asks for; undefined: nothing, the site only stays out of search engines. */
  readonly login: Login | undefined
  readonly noindex: boolean
  /** Paths that ask for no password. */
  readonly except: readonly string[]
  /** Addresses and networks that are asked for no password. */
  readonly allow: readonly string[]
}

/** What the layers of the settings say together, the strongest last; undefined where the site is public. */
export function protectOf(...layers: readonly (ProtectSetting | undefined)[]): Protect | undefined {
  let merged: ProtectSetting | undefined
  for (const layer of layers) if (layer !== undefined) merged = layer === false ? false : { ...(merged || {}), ...layer }
  if (merged === undefined || merged === false) return undefined
  const { user, password, noindex = true, except = [], allow = [] } = merged
  return { login: user === undefined || password === undefined ? undefined : { user, password }, noindex, except, allow }
}
