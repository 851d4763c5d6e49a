import type { CacheRule } from '../project/cache-schema.js'
import type { Protect } from '../project/protect.js'
import type { Place } from '../project/service.js'
import { sitePathPattern } from '../project/site-path.js'
import { nginxFolder } from './nginx.js'
import { cacheFolder, cacheLocations, cacheSides, hasPageCache, sideMark, staticRules } from './page-cache.js'
import { passwordFile } from './protect.js'
import { hashedName, packageStatic, releaseNumbers } from './static-files.js'

/** What {@link servingVars} is given: the settings about what visitors get. */
export interface Serving {
  readonly src: string | undefined
  readonly package: string | undefined
  readonly staticUrl: string
  readonly cache: Readonly<Record<string, CacheRule>>
  readonly protect: Protect | undefined
}

/** The names of variables of nginx that are a site's own: all sites share one space of names. */
export function siteVariable(place: Place): (name: string) => string {
  const prefix = `$kraft_${place.name.replaceAll('-', '_')}_`
  return (name) => `${prefix}${name}`
}

/** What the templates of a site are told about static files, caching and protection. */
export function servingVars(place: Place, given: Serving) {
  const { cache, protect, staticUrl } = given
  const own = siteVariable(place)
  return {
    nginxFolder,
    own,
    hashedName,
    staticPattern: `^${staticUrl.replaceAll('.', '\\.')}(?<${own('file').slice(1)}>.+)$`,
    staticRules: cacheLocations(staticRules(cache, staticUrl)).filter(({ browser }) => browser !== undefined),
    former: releaseNumbers,
    staticFolder: packageStatic(given),
    locations: cacheLocations(cache),
    pageCache: hasPageCache(cache)
      ? {
          sides: cacheSides.map((side) => ({ zone: `${place.name}.${side}`, folder: `${cacheFolder(place)}/${side}` })),
          mark: sideMark,
          /** Seconds that an answer nobody asks for is kept: longer than any is fresh. */
          idle: Math.max(...Object.values(cache).map(({ nginx }) => nginx ?? 0)) + 600,
        }
      : undefined,
    login: protect?.login === undefined ? undefined : { file: passwordFile(place) },
    noindex: protect?.noindex ?? false,
    open: (protect?.except ?? []).map(sitePathPattern),
    known: protect?.allow ?? [],
  }
}
