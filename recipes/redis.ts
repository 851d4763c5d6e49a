import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'

export const redisPackages = ['redis-server'] as const

/**
 * The program redis-server without the instance that the package starts on localhost, which every user of the node could read:
 * each project's instance gets one of its own, on a socket.
 */
export function redis(): readonly Step[] {
  return [...stockRedisOff(), ...apt(...redisPackages)]
}

/** Comes before the package, so that it never starts its instance. */
export function stockRedisOff(): readonly Step[] {
  return [
    {
      title: "redis: the package's own instance is off",
      check: sh`
        test "$(systemctl is-enabled redis-server.service 2>/dev/null)" = masked
        if systemctl is-active --quiet redis-server.service; then exit 1; fi
      `,
      apply: sh`
        if systemctl cat redis-server.service >/dev/null 2>&1; then systemctl disable --quiet --now redis-server.service; fi
        systemctl mask --quiet redis-server.service
      `,
    },
  ]
}
