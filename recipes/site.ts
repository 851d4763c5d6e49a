import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { file } from './file.js'
import { reloadNginx } from './nginx.js'

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
}

/** The site of an instance. nginx tests all of its configuration with it first; what it refuses is put back as it was. */
export function site(place: Place, given: Site): readonly Step[] {
  const names = given.domain === undefined ? given.hosts : [given.domain]
  const content = render('nginx/site.conf', {
    place,
    layout,
    ...given,
    domain: given.domain ?? '',
    names,
    fallback: given.domain === undefined,
  })
  const path = `/etc/nginx/sites-enabled/${place.name}.conf`
  return file({ path, content, notify: [reloadNginx] }).map((step) => ({
    ...step,
    apply: sh`
      if [ -e ${path} ]; then cp -p ${path} "$KRAFT_STEP/before"; fi
      (
        ${step.apply}
      )
      if ! nginx -t -q 2>"$KRAFT_STEP/said"; then
        if [ -e "$KRAFT_STEP/before" ]; then cp -p "$KRAFT_STEP/before" ${path}; else rm -f ${path}; fi
        echo 'nginx refuses this configuration; the former one is back:'
        cat "$KRAFT_STEP/said"
        exit 1
      fi
    `,
  }))
}
