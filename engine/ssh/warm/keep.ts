import { isCI } from '../../report/abilities.js'

/** Seconds that connections are kept where nobody said otherwise, as long as people use to keep OpenSSH's. */
const usual = 60

/**
 * Seconds that a connection stays open after its last use: what was set, else 60, but none under CI, whose jobs should leave
 * nothing behind.
 */
export function secondsToKeep(set: number | undefined, environment: NodeJS.ProcessEnv = process.env): number {
  return set ?? (isCI(environment) ? 0 : usual)
}
