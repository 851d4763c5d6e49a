import { lines, quote, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { ProcessSetting } from '../project/program-keys.js'
import type { Place } from '../project/service.js'
import { endService, takeOver } from './runit.js'

/** What {@link processes} is given beside the processes. */
export interface ProcessesOptions {
  /** Seconds between TERM and KILL for those that say nothing else. */
  readonly patience: number
  /** False: those that run go on as they are, and only the number of copies is made right. */
  readonly restart: boolean
}

/**
 * The project's own processes (`processes:`), each copy a runit service that runs in the current release. They are started anew;
 * those that have left kraftwerk.yaml, and copies beyond the count, are removed. To be run after the switch.
 *
 * @example processes(place, { worker: { command: 'celery -A shop worker', count: 2 } }, { patience: 30, restart: true })
 */
export function processes(
  place: Place,
  wanted: Readonly<Record<string, ProcessSetting>>,
  options: ProcessesOptions,
): readonly Step[] {
  return [
    removeOthers(place, wanted, options.patience),
    forgetOthers(place, Object.keys(wanted)),
    ...Object.entries(wanted).map(([process, setting]) => copies(place, process, setting, options)),
  ]
}

/** Makes the number of copies of one process right, and leaves all else as it is. */
export function scaleProcess(place: Place, process: string, setting: ProcessSetting, patience: number): readonly Step[] {
  return [
    removeOthers(place, { [process]: setting }, patience, `${process}.`),
    copies(place, process, setting, { patience, restart: false }),
  ]
}

/** How many copies a node runs: what `kraft scale` has set there, else what kraftwerk.yaml says. */
function countOf(place: Place, process: string, count: number): Sh {
  return sh`cat ${`${layout.scale(place)}/${process}`} 2>/dev/null || echo ${count}`
}

/** The seconds that a service of runit, which the shell variable `service` names, has asked for to stop; else so many. */
export function patienceOf(seconds: number): Sh {
  return sh`"$(cat "/etc/sv/$service/stop" 2>/dev/null || echo ${seconds})"`
}

function removeOthers(place: Place, wanted: Readonly<Record<string, ProcessSetting>>, patience: number, beginning = ''): Step {
  const known = Object.entries(wanted)
  // Names of processes are plain words, which a pattern of the shell takes as they are.
  const cases = known.map(([process, { count }]) => sh`${new Sh(process)}) ${countOf(place, process, count)} ;;`)
  const find = sh`
    count() {
      case $1 in
        ${lines(...cases, new Sh('*) echo 0 ;;'))}
      esac
    }
    others() {
      for folder in /etc/sv/${place.name}.process.${beginning}*; do
        [ -e "$folder" ] || continue
        copy=\${folder##*.process.}
        index=\${copy##*.}
        # Earlier versions of kraft had no numbers.
        case $index in *[!0-9]*) index=1000 ;; esac
        if [ "$index" -gt "$(count "\${copy%.*}")" ]; then echo "\${folder##*/}"; fi
      done
    }
  `
  return {
    title: beginning === '' ? 'No processes beyond those of kraftwerk.yaml' : `No more copies of ${known[0]?.[0]}`,
    check: lines(find, sh`test -z "$(others)"`),
    apply: lines(
      find,
      sh`
      others >"$KRAFT_STEP/others"
      while read -r service; do
        (
          ${endService(patienceOf(patience))}
        ) &
      done <"$KRAFT_STEP/others"
      wait
    `,
    ),
    diff: lines(find, sh`others | sed 's/^/remove /'`),
  }
}

// One that comes back one day begins with the count that kraftwerk.yaml has then.
function forgetOthers(place: Place, processes: readonly string[]): Step {
  const find = sh`
    others() {
      for file in ${layout.scale(place)}/*; do
        case \${file##*/} in ${new Sh(['web', ...processes].join('|'))}) continue ;; esac
        if [ -e "$file" ]; then echo "$file"; fi
      done
    }
  `
  return {
    title: 'No counts of processes that have left kraftwerk.yaml',
    check: lines(find, sh`test -z "$(others)"`),
    apply: lines(find, sh`others | while read -r file; do rm -f "$file"; done`),
  }
}

function copies(place: Place, process: string, setting: ProcessSetting, { patience, restart }: ProcessesOptions): Step {
  const { command, count, memory, stop = patience } = setting
  const name = layout.process(place, process)
  const vars = { place, layout, process, command, memory, quote }
  const log = `${layout.log(place)}/${process}`
  const each = sh`
    count=$(${countOf(place, process, count)})
    services=$(seq -f ${`${name}.%.0f`} "$count")
  `
  return {
    title: `Process ${process}`,
    files: {
      run: render('instance/process.run.sh', vars),
      finish: render('instance/process.finish.sh', vars),
      stop: `${stop}\n`,
      logger: render('instance/log.run.sh', { place, layout, process, log: undefined }),
    },
    ...(restart
      ? {}
      : {
          check: lines(
            each,
            sh`
            for service in $services; do
              test -e "/etc/service/$service"
              for file in run finish stop; do cmp -s "$KRAFT_STEP/$file" "/etc/sv/$service/$file"; done
              cmp -s "$KRAFT_STEP/logger" "/etc/sv/$service/log/run"
            done
          `,
          ),
        }),
    apply: lines(
      each,
      sh`
      old= new= stopped=
      if [ -e ${layout.stopped(place)} ]; then stopped=yes; fi
      for service in $services; do
        folder=/etc/sv/$service
        log=${log}
        if [ "\${service##*.}" != 1 ]; then log=$log.\${service##*.}; fi
        # One of an earlier version of kraft has nobody who takes what it says.
        if [ -e "$folder" ] && [ ! -e "$folder/log" ]; then (
          ${endService(patienceOf(patience))}
        ); fi
        install -d -m 0700 "$folder" "$folder/log"
        for file in run finish stop; do
          install -m 0755 "$KRAFT_STEP/$file" "$folder/.$file"
          mv -fT "$folder/.$file" "$folder/$file"
        done
        install -m 0755 "$KRAFT_STEP/logger" "$folder/log/.run"
        mv -fT "$folder/log/.run" "$folder/log/run"
        (umask 027; touch "$log"; chgrp ${place.name} "$log")
        if [ -e "/etc/service/$service" ]; then old="$old /etc/service/$service"
        else
          # One more of what is stopped begins when the others do.
          if [ -n "$stopped" ]; then touch "$folder/down"; fi
          ln -sT "$folder" "/etc/service/$service"
          new=$service
        fi
      done
      if [ -n "$old" ] && [ -n ${restart ? 'yes' : ''} ]; then
        # What has to be killed counts as failed, and is started anew all the same.
        sv -w ${stop} force-restart $old >/dev/null || :
        for service in $old; do rm -f ${layout.ends}/"\${service##*/}"; done
      fi
      if [ -n "$new" ]; then (
        ${takeOver(new Sh('"$new"'))}
      ); fi
      if [ -n "$stopped" ]; then exit 0; fi
      for service in $services; do
        up=
        for try in $(seq 100); do
          if sv status "/etc/service/$service" 2>/dev/null | grep -q '^run'; then up=1; break; fi
          sleep 0.1
        done
        if [ -z "$up" ]; then
          echo 'It does not run. Its log:'
          tail -n 20 ${log}
          exit 1
        fi
      done
    `,
    ),
    diff: lines(
      each,
      sh`
      for service in $services; do
        if [ ! -e "/etc/service/$service" ]; then printf 'start %s\n' "$service"
        elif [ -n ${restart ? 'yes' : ''} ]; then printf 'start %s anew\n' "$service"; fi
      done
    `,
    ),
  }
}
