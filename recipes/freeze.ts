import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'

/** Shell with a function `writers`, which prints the processes of an instance's user but for those of its servers. */
export function writers({ name }: Place): Sh {
  return sh`
    writers() {
      servers=$(cat ${`/etc/service/${name}+`}*/supervise/pid 2>/dev/null | tr '\n' ' ')
      ps -u ${name} -o pid=,ppid= | awk -v servers=" $servers" '!index(servers, " " $1 " ") && !index(servers, " " $2 " ") { print $1 }'
    }
  `
}

/**
 * Shell that stops whatever of an instance could write, for so many seconds at most: its site, its processes, its cron jobs and the
 * shells of people, but not its servers, which are what is read. They go on when the script ends, however it ends. {@link thawed}
 * says whether it held.
 *
 * Who waits is answered afterwards, as gunicorn's workers take up where they were. Their master goes on last: it kills those from
 * whom it has not heard for long.
 */
export function freeze(place: Place, seconds: number): Sh {
  const services = `/etc/service/${place.name}`
  return sh`
    ${writers(place)}
    # Once more for what was started by those that were not stopped yet.
    for each in 1 2; do
      for pid in $(writers); do kill -STOP "$pid" 2>/dev/null || :; done
    done
    # In the environment: a script that is killed loses its folder.
    KRAFT_STOPPED=$(writers)
    KRAFT_MASTERS=$(cat ${`${services}.web.`}*/supervise/pid 2>/dev/null || :)
    KRAFT_THAW='
      for pid in $KRAFT_STOPPED; do
        case " $(echo $KRAFT_MASTERS) " in *" $pid "*) ;; *) kill -CONT "$pid" 2>/dev/null ;; esac
      done
      sleep 1.5
      for pid in $KRAFT_MASTERS; do kill -CONT "$pid" 2>/dev/null; done
      :'
    export KRAFT_STOPPED KRAFT_MASTERS KRAFT_THAW
    # Whatever becomes of this script, nobody stays frozen.
    setsid sh -c '
      for each in $(seq "$2"); do
        if [ -e "$KRAFT_STEP/thawing" ]; then exit 0; fi
        if ! kill -0 "$1" 2>/dev/null; then break; fi
        sleep 0.1
      done
      touch "$KRAFT_STEP/late"
      sh -c "$KRAFT_THAW"
    ' watch "$$" ${String(seconds * 10)} </dev/null >/dev/null 2>&1 &
    export KRAFT_FROZEN=1
    trap ': >"$KRAFT_STEP/thawing"; sh -c "$KRAFT_THAW"' EXIT
  `
}

/** Fails where those that {@link freeze} has stopped went on before this. */
export function thawed(seconds: number): Sh {
  return sh`
    if [ -e "$KRAFT_STEP/late" ]; then
      echo ${`What writes can be held for ${seconds} s, half of timeout:, and the dump took longer. It goes without --freeze: each service is one moment's`}
      exit 1
    fi
  `
}
