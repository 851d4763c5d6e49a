import { type Sh, sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import { apt } from './apt.js'
import { directory, file, link } from './file.js'
import { running } from './systemd.js'

/** Never `runit-init`, which replaces systemd; runit-run brings the unit that systemd starts. */
export const runitPackages = ['runit', 'runit-run'] as const

/** runit, supervised by systemd. */
export function runit(): readonly Step[] {
  return [...apt(...runitPackages), ...runitSetup()]
}

/** {@link runit} once its packages are there. */
export function runitSetup(): readonly Step[] {
  return running('runit.service')
}

/** What {@link runitService} is given. */
export interface RunitServiceOptions {
  /** Its folder in /etc/sv. */
  readonly name: string
  /** The run script, with its `#!` line; it ends in an exec of the program. */
  readonly run: string
  /** Run by runsv whenever `run` ended. */
  readonly finish?: string
  /** Where svlogd keeps the output: ten files of 10 MB. Left out, the output goes to runit's own log. */
  readonly log?: { readonly directory: string; readonly group?: string }
  /** Run at the end of the phase if a script changed; a program that runs already is not restarted without one. */
  readonly notify?: readonly Handler[]
}

/**
 * A program that runit keeps running. The last step waits until runit has taken it over.
 *
 * @example runitService({ name: 'calculator', run: '#!/bin/sh\nexec chpst -u calculator …\n', log: { directory: '/web/calculator/log/web' } })
 */
export function runitService({ name, run, finish, log, notify }: RunitServiceOptions): readonly Step[] {
  const folder = `/etc/sv/${name}`
  const script = (path: string, content: string): readonly Step[] =>
    file({ path: `${folder}/${path}`, content, mode: '0755', ...(notify === undefined ? {} : { notify }) })
  return [
    ...directory({ path: folder }),
    ...script('run', run),
    ...(finish === undefined ? [] : script('finish', finish)),
    ...(log === undefined
      ? []
      : [
          ...directory({ path: log.directory, group: log.group ?? 'root', mode: '0750' }),
          ...file({ path: `${log.directory}/config`, content: 's10000000\nn10\n' }),
          ...directory({ path: `${folder}/log` }),
          ...script(
            'log/run',
            sh`
            #!/bin/sh
            exec svlogd -tt ${log.directory}
          `.text.concat('\n'),
          ),
        ]),
    ...link({ path: `/etc/service/${name}`, to: folder }),
    waitFor(name),
  ]
}

function waitFor(name: string): Step {
  return {
    title: `runit has taken over ${name}`,
    quiet: true,
    check: sh`sv status ${`/etc/service/${name}`} >/dev/null`,
    apply: takeOver(name),
  }
}

/**
 * Ends the service that the shell variable `service` names, within `seconds` as a rule, and takes it out of runit. Its supervisor is
 * told to go by itself: runsvdir, which does that too, may miss a folder that changes twice in a second. That it has gone shows in its
 * lock, which takes no time; sv looks every 0.4 s.
 */
export function endService(seconds: number | Sh): Sh {
  return sh`
    rm -f "/etc/service/$service"
    gone() {
      [ ! -e "/etc/sv/$service/supervise/lock" ] || flock -w "$1" "/etc/sv/$service/supervise/lock" true
    }
    sv exit "/etc/sv/$service" >/dev/null || :
    patience=${seconds}
    late=$(($(date +%s) + patience)) down=
    until gone 1; do
      # What a program that has ended leaves behind would keep its log from ending, and so its supervisor.
      case $(cat "/etc/sv/$service/supervise/stat" 2>/dev/null) in
        down*)
          if [ -n "$down" ] && [ -e "/etc/sv/$service/log" ]; then sv kill "/etc/sv/$service/log" >/dev/null || :; fi
          down=1
          ;;
      esac
      if [ "$(date +%s)" -ge "$late" ]; then break; fi
    done
    if ! gone 0; then
      # A finish or run script that asks for "down" just then takes an "exit" back.
      for try in $(seq 5); do
        sv kill "/etc/sv/$service" >/dev/null || :
        sv exit "/etc/sv/$service" >/dev/null || :
        if gone 1; then break; fi
      done
    fi
    rm -rf "/etc/sv/$service"
    rm -f ${layout.ends}/"$service"
  `
}

/**
 * Ends the program of a service's folder within `seconds`, by force then, until it is told to come up again. sv is content with a
 * service that is down just then, although its supervisor sleeps for a second after an end that came soon and has not read the
 * order yet; an "up" in that second would not even be sent, because the status still says that up is wanted.
 */
export function stopService(service: string | Sh, seconds: number | Sh): Sh {
  return sh`
    sv -w ${seconds} force-stop ${service} >/dev/null || :
    for try in $(seq 30); do
      case $(sv status ${service}) in *'want up'*) sleep 0.1 ;; *) break ;; esac
    done
  `
}

/**
 * Makes runit take over a service that was linked into /etc/service, and waits until it has: 0.02 s as a rule. By itself runsvdir
 * looks every five seconds. A dot in the pipe of its own log wakes it (it puts one there itself every quarter of an hour), and it
 * then reads a folder whose time has changed; were that time now, it would sleep a second before, so that it misses nothing.
 */
export function takeOver(name: string | Sh): Sh {
  return sh`
    runsvdir=$(systemctl show --property MainPID --value runit.service)
    touch -d "@$((\${EPOCHSECONDS:-$(date +%s)} - $$ % 1000 - 1))" /etc/service/.
    try=0
    while [ "$try" -lt 500 ]; do
      # Each dot takes the place of a letter of what runit has to say.
      if [ "$((try % 5))" = 0 ] && [ -p "/proc/$runsvdir/fd/2" ]; then printf . 2>/dev/null >"/proc/$runsvdir/fd/2" || :; fi
      if [ -p /etc/sv/${name}/supervise/ok ] && sv status /etc/service/${name} >/dev/null; then exit 0; fi
      sleep 0.02
      try=$((try + 1))
      # Should the former time have been the same by chance, this one is not.
      if [ "$try" = 50 ]; then touch /etc/service/.; fi
    done
    echo 'runit did not start it within 10 s; does "systemctl status runit" say why?'
    exit 1
  `
}
