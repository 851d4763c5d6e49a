import { type Sh, sh } from '../engine/shell/sh.js'

/** Shell that makes the folder of marks on tmpfs that belong to switches (`layout.trial`): a boot takes it away. */
export const trialFolder: Sh = sh`
  if [ ! -d /run/web/.trial ]; then
    install -d -m 0755 /run/web
    install -d -m 0700 /run/web/.trial
  fi
`

/** Shell that writes the size of a log down, in a file, so that only what comes later is read. */
export function noteEnd(log: string, file: string): Sh {
  return sh`stat -c %s ${log} >${file} 2>/dev/null || echo 0 >${file}`
}
