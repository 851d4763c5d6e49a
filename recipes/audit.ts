import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** What somebody did with an instance. */
export interface LogEntry {
  readonly who: string
  readonly what: string
  readonly release: string
  readonly generation: string
  readonly result: 'ok' | 'failed'
}

/**
 * Writes who did what, when and how it ended into `/web/NAME/log/kraft`, one line each.
 *
 * @example noteInLog(place, { who: 'ann@laptop', what: 'deploy', release: '20261128-101500', generation: '20261128-101500', result: 'ok' })
 */
export function noteInLog(place: Place, { who, what, release, generation, result }: LogEntry): readonly Step[] {
  const file = `${layout.log(place)}/kraft`
  const words = [who, what, release, ...(generation === release ? [] : [`generation=${generation}`]), result].join(' ')
  return [
    {
      title: 'Note it in the log',
      quiet: true,
      apply: sh`
        umask 027
        requests=$(cat /run/web/.trial/${place.name}.requests 2>/dev/null || :)
        rm -f /run/web/.trial/${place.name}.requests
        if [ -d ${layout.log(place)} ]; then
          printf '%s %s%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${words} "\${requests:+ $requests}" >>${file}
          chgrp ${place.name} ${file}
        fi
      `,
    },
  ]
}
