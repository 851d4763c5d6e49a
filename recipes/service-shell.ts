import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'

/**
 * Becomes a command that runs as the instance's user in its home, with nothing of the login's environment, but with the variables of a
 * file of root's. For root.
 */
export function becomeInstance(place: Place, command: readonly string[], access?: string): Sh {
  const home = layout.userHome(place)
  // No argument shows what is in it.
  const reading = access === undefined ? [] : ['sh', '-ec', 'set -a; . "$0"; set +a; exec "$@"', access]
  return sh`
    if ! cd ${home} 2>/dev/null || [ ! -e ${access ?? home} ]; then
      printf 'kraft: %s is not deployed there yet\n' ${place.name} >&2
      exit 255
    fi
    exec env -i TERM="\${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin SHELL=/bin/bash \
      HOME=${home} USER=${place.name} LOGNAME=${place.name} ${reading} ${asInstance(place, ...command)}
  `
}
