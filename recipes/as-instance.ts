import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'

/**
 * Runs a command as the instance's user: what is in the instance's own folders is never root's to open.
 *
 * @example sh`${asInstance(place, 'tar', '-x')} <"$KRAFT_IN"`
 */
export function asInstance({ name }: Place, ...command: readonly string[]): Sh {
  return sh`setpriv --reuid ${name} --regid ${name} --init-groups -- ${command}`
}
