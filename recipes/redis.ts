import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { stockOff } from './stock-off.js'

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
  return stockOff('redis', 'redis-server.service')
}
