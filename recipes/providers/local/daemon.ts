import { type Sh, sh } from '../../../engine/shell/sh.js'
import { runs } from './process.js'

/** A program that is kept running on this machine as an unprivileged user. */
export interface Daemon {
  /** Its own folder, which its command line must name: so its pid is never taken for another's. */
  readonly folder: string
  readonly user: string
  readonly command: readonly string[]
  readonly environ: Readonly<Record<string, string>>
}

/** Script: the daemon runs. One that runs already is left alone. */
export function daemonUp({ folder, user, command, environ }: Daemon): Sh {
  const given = sh`${Object.entries(environ).map(([name, value]) => sh`${name}=${value}`)}`
  return sh`
    pid=$(cat ${folder}/pid 2>/dev/null || :)
    if ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- ${folder}/; then
      (
        export ${given} HOME=${folder}
        cd ${folder}
        exec setsid setpriv --reuid=${user} --regid=${user} --init-groups --no-new-privs ${command}
      ) </dev/null >${folder}/out 2>&1 9>&- &
      echo $! >${folder}/pid
    fi`
}

/** Script: the daemon is gone. */
export function daemonDown(folder: string): Sh {
  return sh`
    pid=$(cat ${folder}/pid 2>/dev/null || :)
    for signal in TERM TERM KILL; do
      for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- ${folder}/ || break 2
        [ "$try" != 1 ] || kill -"$signal" "$pid" 2>/dev/null || :
        sleep 0.05
      done
    done
    rm -f ${folder}/pid`
}

/** Whether the daemon runs; needs no root. */
export function daemonRuns(folder: string): Promise<boolean> {
  return runs(`${folder}/pid`, `${folder}/`)
}
