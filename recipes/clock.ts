import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/** Seconds that the clocks of this machine and of a node may differ. */
export const tolerance = 300

/**
 * Refuses a node whose clock differs from this machine's, which says `now`: releases are ordered by ids that are made of the time,
 * so that from a clock that is wrong a new one would count as older than those before it.
 */
export function clocksAgree(node: string, now: Date): readonly Step[] {
  const here = Math.round(now.getTime() / 1000)
  return [
    {
      title: 'The clocks agree',
      // When this script arrived: it may have waited for another one since.
      check: sh`
        ahead=$(($(stat -c %Y "$KRAFT_DIR/script") - ${here}))
        test "\${ahead#-}" -le ${tolerance}
      `,
      apply: sh`
        utc() { date -u -d "@$1" '+%F %T UTC'; }
        printf 'It is %s on %s, but %s on the machine that deploys, and releases are ordered by time\n' \
          "$(utc "$(stat -c %Y "$KRAFT_DIR/script")")" ${node} "$(utc ${here})"
        if [ "$(timedatectl show --property NTPSynchronized --value 2>/dev/null)" = yes ]; then
          printf 'The clock of %s is synchronized: correct that of the machine that deploys\n' ${node}
        else
          printf 'The clock of %s is not synchronized: correct it there (timedatectl says more), unless it is the other one that is wrong\n' ${node}
        fi
        exit 1
      `,
    },
  ]
}
