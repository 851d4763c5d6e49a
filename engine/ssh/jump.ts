import type { Destination } from './destination.js'

/**
 * Reads one host of a ProxyJump: `[user@]host[:port]` or `ssh://[user@]host[:port]`, IPv6 addresses in brackets. `before` are
 * the hosts to go through first; left out, ~/.ssh/config decides.
 */
export function jumpDestination(text: string, before?: readonly string[]): Destination {
  const rest = text.trim().replace(/^ssh:\/\//, '')
  const at = rest.lastIndexOf('@')
  const place = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(rest.slice(at + 1))
  const name = place?.[1] ?? place?.[2] ?? rest.slice(at + 1)
  return {
    name,
    user: at < 0 ? undefined : rest.slice(0, at),
    port: place?.[3] === undefined ? undefined : Number(place[3]),
    hostKeys: [],
    jumps: before,
  }
}
