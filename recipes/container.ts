import { type Sh, sh } from '../engine/shell/sh.js'

/**
 * Shell for the beginning of a step's check: in a container it ends the check with 75, which skips the step and shows why.
 *
 * @example check: lines(skipInContainer('a container has the clock of its host'), sh`…`)
 */
export function skipInContainer(reason: string): Sh {
  return sh`if systemd-detect-virt --container --quiet; then printf '%s\n' ${reason}; exit 75; fi`
}
