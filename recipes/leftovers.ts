import { Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { endService } from './runit.js'

/** The mark of a release that has served; whatever has none was never switched to. */
export function servedMark(place: Place, id: string): string {
  return `${layout.meta(place, id)}/served`
}

/**
 * Removes what a deploy or a reload left that was interrupted before its end: processes beside those that serve, and releases
 * that never served, which a rollback must not find. Only for whoever holds the instance's lock. `but` is a
 * release that has just come and stays.
 */
export function removeLeftovers(place: Place, seconds: number, but = ''): readonly Step[] {
  const { home, name } = place
  const find = sh`
    live=$(readlink -f ${layout.current(place)}/.kraft/live 2>/dev/null || :)
    current=$(readlink -f ${layout.current(place)} 2>/dev/null || :)
    services() {
      for service in /etc/service/${name}.web.*; do
        if [ -e "$service" ] && [ "\${service##*.}" != "\${live##*/}" ]; then echo "$service"; fi
      done
    }
    releases() {
      for release in ${home}/releases/.[0-9]* ${home}/releases/*; do
        case $release in ${`${home}/releases/.${but}`} | ${`${home}/releases/${but}`}) continue ;; esac
        if [ -d "$release" ] && [ "$release" != "$current" ] && [ ! -e "$release/.kraft/served" ]; then echo "$release"; fi
      done
    }
  `
  return [
    {
      title: 'Remove what an interrupted deploy left',
      check: sh`
        ${find}
        test -z "$(services; releases)"
      `,
      apply: sh`
        ${find}
        services | while read -r service; do
          generation=\${service##*.}
          # What never served has no request to finish.
          if [ -e /run/web/.trial/${name}."$generation" ]; then patience=3; else patience=${seconds + 5}; fi
          # On trial its finish script would take the end back.
          rm -f /run/web/.trial/${name}."$generation"*
          service=\${service##*/}
          ${endService(new Sh('"$patience"'))}
          rm -f ${layout.sockets(place)}/"$generation.sock"
        done
        releases | while read -r release; do rm -rf --one-file-system "$release"; done
      `,
      diff: sh`
        ${find}
        services
        releases
      `,
    },
  ]
}
