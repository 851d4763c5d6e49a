import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/**
 * The instance that a package starts for all users of the node is off: a project's instance gets one of its own. Comes before the
 * package, so that it never starts it.
 *
 * @example stockOff('redis', 'redis-server.service')
 */
export function stockOff(program: string, unit: string): readonly Step[] {
  return [
    {
      title: `${program}: the package's own instance is off`,
      check: sh`
        test "$(systemctl is-enabled ${unit} 2>/dev/null)" = masked
        if systemctl is-active --quiet ${unit}; then exit 1; fi
      `,
      apply: sh`
        if systemctl cat ${unit} >/dev/null 2>&1; then systemctl disable --quiet --now ${unit}; fi
        systemctl mask --quiet ${unit}
      `,
    },
  ]
}
