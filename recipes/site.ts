import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import type { CacheRule } from '../project/cache-schema.js'
import type { Https } from '../project/https.js'
import { layout } from '../project/layout.js'
import type { Protect } from '../project/protect.js'
import type { Place } from '../project/service.js'
import { absent } from './file.js'
import { nginxFile } from './nginx.js'
import { cacheFolder, cacheFolders, hasPageCache } from './page-cache.js'
import { passwordFile, passwords } from './protect.js'
import { servingVars } from './serving.js'

/** How nginx serves an instance. */
export interface Site {
  /** Undefined: it answers to whatever nobody else claims, at the node's address. */
  readonly domain: string | undefined
  /** The node's address and name, by which a site without a domain is asked for. */
  readonly hosts: readonly string[]
  readonly aliases: readonly string[]
  readonly package: string | undefined
  readonly uploads: boolean
  /** Bytes. */
  readonly maxBody: number
  /** Seconds. */
  readonly timeout: number
  readonly ipv6: boolean
  readonly https: Https | undefined
  readonly src: string | undefined
  readonly staticUrl: string
  readonly cdn: string | undefined
  readonly cache: Readonly<Record<string, CacheRule>>
  readonly protect: Protect | undefined
  /** Addresses of balancers, from which what is said of the visitor is believed. */
  readonly balancers: readonly string[]
}

/**
 * Fails where another site of the node answers to one of these names already: nginx would only warn, and serve the other one.
 */
export function freeNames(place: Place, { domain, aliases }: Pick<Site, 'domain' | 'aliases'>): readonly Step[] {
  const own = `/etc/nginx/sites-enabled/${place.name}.conf`
  const wanted = domain === undefined ? [] : [domain, ...aliases]
  const search = sh`
    names() { sed -n 's/#.*//; s/^.*server_name\([^;]*\);.*/\1/p' "$1" | tr -s ' \t' '\n\n'; }
    for site in /etc/nginx/sites-enabled/*; do
      if [ "$site" = ${own} ] || [ ! -f "$site" ]; then continue; fi
      for name in ${wanted}; do
        if names "$site" | grep -qxF -e "$name"; then
          printf 'Another site of this node serves %s already: %s\n' "$name" "$site"
          echo 'Take the name out of domain and aliases in kraftwerk.yaml, or out of the other project and deploy that first'
          exit 1
        fi
      done
      if [ -z ${domain ?? ''} ] && grep -qE '^[^#]*listen[^;]* default_server' "$site"; then
        printf 'Another site of this node answers to whatever has no name: %s\n' "$site"
        echo 'Give this project a name in kraftwerk.yaml, for example:  domain: shop.example.com'
        exit 1
      fi
    done
  `
  return [{ title: 'No other site has its names', check: search, apply: search, diff: search }]
}

/**
 * The site of an instance, with the files that it needs. nginx tests all of its configuration with it first; what it refuses is put
 * back as it was.
 */
export function site(place: Place, given: Site): readonly Step[] {
  // Password and key are none of the configuration's: with a secret in it all of it would be one, which no diff shows.
  const { protect, https, ...shown } = given
  const { domain, cache } = shown
  const content = render('nginx/site.conf', {
    place,
    layout,
    ...shown,
    domain: domain ?? '',
    names: domain === undefined ? given.hosts : [domain],
    fallback: domain === undefined,
    ...servingVars(place, given),
    https: https && { hsts: https.hsts, acme: https.from.kind === 'acme' },
  })
  return [
    ...(protect?.login === undefined ? [] : passwords(place, protect.login)),
    ...(hasPageCache(cache) ? cacheFolders(place) : []),
    ...nginxFile({ path: `/etc/nginx/sites-enabled/${place.name}.conf`, content }),
    // Only once no configuration names them any more.
    ...(protect?.login === undefined ? absent(passwordFile(place)) : []),
    ...(hasPageCache(cache) ? [] : absent(cacheFolder(place))),
  ]
}
