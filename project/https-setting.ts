/** What `https:` says in one place; `off` and `auto` stand for the words. */
export interface HttpsSetting {
  readonly off?: true
  readonly auto?: true
  /** Files of a certificate of one's own. */
  readonly certificate?: string
  readonly key?: string
  /** Seconds for which browsers ask for nothing but HTTPS. */
  readonly hsts?: number
  /** Of the account at the ACME server. */
  readonly email?: string
  readonly directory?: string
  readonly ca?: string
}

/** What counts of what was said in several places, the strongest last. */
export function mergeHttps(...layers: readonly (HttpsSetting | undefined)[]): HttpsSetting | undefined {
  return layers.reduce<HttpsSetting | undefined>(overlay, undefined)
}

// A word replaces what was said before, a map adds to it.
function overlay(before: HttpsSetting | undefined, layer: HttpsSetting | undefined): HttpsSetting | undefined {
  if (layer === undefined || before === undefined || before.off || layer.off || layer.auto) return layer ?? before
  // Another way to a certificate takes the place of the former one: only what holds for both stays.
  const own = layer.certificate !== undefined
  const server = layer.email !== undefined || layer.directory !== undefined || layer.ca !== undefined
  if (before.certificate === undefined ? own : server)
    return { ...(before.hsts === undefined ? {} : { hsts: before.hsts }), ...layer }
  return { ...before, ...layer }
}
