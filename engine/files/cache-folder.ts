import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Where kraft keeps what it can make again: `~/.cache/kraftwerk`, or below XDG_CACHE_HOME. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'kraftwerk')
}
