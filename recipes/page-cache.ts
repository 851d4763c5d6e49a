import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { CacheRule } from '../project/cache-schema.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { bySpecificity, sitePathPattern } from '../project/site-path.js'
import { directory } from './file.js'
import { nginxUser } from './nginx.js'
import type { Release } from './release.js'

type Rules = Readonly<Record<string, CacheRule>>

/** A rule of `cache:` as nginx's configuration says it. */
export interface CacheLocation {
  /** A regular expression of nginx. */
  readonly pattern: string
  /** What `Cache-Control` says where the application says nothing; undefined: nothing either. */
  readonly browser: string | undefined
  /** Seconds that nginx keeps an answer; undefined: it does not. */
  readonly nginx: number | undefined
}

const immutable = 'max-age=31536000, immutable'

/** Rules in the order in which nginx tries them. */
export function cacheLocations(rules: Rules): readonly CacheLocation[] {
  return Object.entries(rules)
    .toSorted(([one], [other]) => bySpecificity(one, other))
    .map(([path, { browser, nginx }]) => ({
      pattern: sitePathPattern(path),
      browser: browser === undefined ? undefined : cacheControl(browser),
      nginx,
    }))
}

/** The rules that are about static files: a rule for pages, as for `/`, is not meant for them. */
export function staticRules(rules: Rules, url: string): Rules {
  return Object.fromEntries(Object.entries(rules).filter(([path]) => `${path}/`.startsWith(url)))
}

function cacheControl(browser: NonNullable<CacheRule['browser']>): string {
  if (browser === 'none') return 'no-store'
  return browser === 'immutable' ? immutable : `max-age=${browser}`
}

/** Whether nginx keeps anything of an instance. */
export function hasPageCache(rules: Rules): boolean {
  return Object.values(rules).some(({ nginx }) => nginx !== undefined)
}

/** Where nginx keeps answers of an instance. */
export function cacheFolder({ name }: Place): string {
  return `/var/cache/nginx/${name}`
}

/** The two halves of an instance's cache: an old and a new generation never share one. */
export const cacheSides = ['a', 'b'] as const

/** The folders of nginx's cache, nginx's own. */
export function cacheFolders(place: Place): readonly Step[] {
  const own = { owner: nginxUser, group: nginxUser, mode: '0700' }
  return [
    ...directory({ path: '/var/cache/nginx' }),
    ...directory({ path: cacheFolder(place), ...own }),
    ...cacheSides.flatMap((side) => directory({ path: `${cacheFolder(place)}/${side}`, ...own })),
  ]
}

/** The mark of a generation on side b. nginx looks for it at each request, so that the switch changes the side as well. */
export const sideMark = 'side-b'

/**
 * Gives a generation that is to come the side of the cache that the one that serves does not have, and empties it. Nothing can be
 * written there until the switch, so what an older release answered is never served after it.
 */
export function takeCacheSide({ place, id, generation }: Release, rules: Rules): readonly Step[] {
  if (!hasPageCache(rules)) return []
  const live = `${layout.current(place)}/.kraft/live`
  const mark = `${layout.generation(place, id, generation)}/${sideMark}`
  return [
    {
      title: "An empty side of nginx's cache",
      quiet: true,
      apply: sh`
        side=a
        rm -f ${mark}
        if [ -e ${live} ] && [ ! -e ${`${live}/${sideMark}`} ]; then
          side=b
          : >${mark}
        fi
        folder=${cacheFolder(place)}/$side
        if [ -d "$folder" ]; then runuser -u ${nginxUser} -- find "$folder" -type f -delete; fi
      `,
    },
  ]
}
