import { lines, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { Health } from '../project/settings.js'
import { directory } from './file.js'
import { healthy, type Visited } from './gunicorn.js'
import type { Release } from './release.js'
import { stopService } from './runit.js'
import { template } from './template.js'
import { noteEnd, trialFolder } from './trial.js'

/** How long programs get to end by themselves, and how the web process proves that it works. */
export interface Restart {
  readonly health: Health
  readonly host: Visited
  /** False: the node runs processes alone. */
  readonly web: boolean
  /** Seconds; a program may have asked for others. */
  readonly patience: number
}

/** Shell that prints `stopped` where {@link stop} has stopped an instance. */
export const sayStopped = (place: Place): Sh => sh`if [ -e ${layout.stopped(place)} ]; then echo stopped; fi`

/** Refuses to touch an instance of another project or environment. */
export function ownInstance(place: Place, owner: string): readonly Step[] {
  const path = `${layout.settings(place)}/owner`
  return [
    {
      title: `${place.name} belongs to this project`,
      check: sh`test "$(cat ${path} 2>/dev/null)" = ${owner}`,
      apply: sh`
        printf '%s belongs to another project or environment on this node: "%s" (this is "%s")\n' ${place.name} "$(cat ${path})" ${owner}
        exit 1
      `,
    },
  ]
}

/** Stops all programs of an instance for good: nginx answers with a page of its own, and no reboot starts them. */
export function stop(place: Place, patience: number): readonly Step[] {
  const own = { group: place.name, mode: '0750' }
  return [
    ...directory({ path: layout.closed(place), ...own }),
    ...directory({ path: `${layout.closed(place)}/stopped`, ...own }),
    // Visitors get the page first, so that none meets a socket that nobody listens on.
    ...template('nginx/stopped.html', { to: layout.stopped(place), group: place.name, mode: '0640', vars: { place } }),
    {
      title: 'Web and processes are down, also after a reboot',
      check: sh`
        for service in /etc/service/${place.name}.*; do
          [ -e "$service" ] || continue
          test -e "$service/down"
          sv status "$service" | grep -q '^down'
        done
      `,
      apply: sh`
        for service in /etc/service/${place.name}.*; do
          [ -e "$service" ] || continue
          # runit starts nothing by itself that has this file.
          touch "$service/down"
          ${end(patience)}
        done
      `,
    },
  ]
}

/** Starts what {@link stop} has stopped, and whatever else is down; the page goes when the web process has proven its health. */
export function start(release: Release, given: Restart): readonly Step[] {
  const { place, generation } = release
  const service = `/etc/service/${layout.runit(place, generation)}`
  const running = sh`
    for service in /etc/service/${place.name}.*; do
      [ -e "$service" ] || continue
      test ! -e "$service/down"
      sv status "$service" | grep -q '^run'
    done
  `
  return [
    ...(given.web ? startWeb(release, given) : []).map((step) => ({
      ...step,
      check: sh`test ! -e ${`${service}/down`} && sv status ${service} | grep -q '^run'`,
    })),
    { title: 'Processes', check: running, apply: startProcesses(place) },
    ...noLongerStopped(place),
  ]
}

/** Ends and starts the web process and all processes of the current generation. Requests that come meanwhile are lost. */
export function restart(release: Release, given: Restart): readonly Step[] {
  const { place, generation } = release
  return [
    ...(given.web ? [endWeb(place, generation, given.patience), ...startWeb(release, given)] : []),
    {
      title: 'Processes anew',
      apply: lines(
        sh`
        for service in /etc/service/${place.name}.process.*; do
          [ -e "$service" ] || continue
          ${end(given.patience)}
        done
      `,
        startProcesses(place),
      ),
    },
    ...noLongerStopped(place),
  ]
}

function endWeb(place: Place, generation: string, patience: number): Step {
  const service = `/etc/service/${layout.runit(place, generation)}`
  return { title: 'End the web process', apply: stopService(service, patience) }
}

/** Ends the program whose folder the shell variable `service` names. */
function end(patience: number) {
  return stopService(new Sh('"$service"'), new Sh(`"$(cat "$service/stop" 2>/dev/null || echo ${patience})"`))
}

/**
 * What a new release or generation serves is not stopped any more, and has not moved away, unless it `passesOn` as before. To be run before
 * processes are started anew.
 */
export function noLongerStopped(place: Place, passesOn = false): readonly Step[] {
  const moved = passesOn ? '/nonexistent' : layout.moved(place)
  return [
    {
      title: `${place.name} is not stopped`,
      check: sh`test ! -e ${layout.stopped(place)} && ! ls -d /etc/sv/${place.name}.*/down >/dev/null 2>&1 && test ! -e ${moved}`,
      apply: sh`
        rm -f /etc/sv/${place.name}.*/down
        rm -rf ${layout.closed(place)}/stopped
        rm -f ${moved}
      `,
    },
  ]
}

// On trial a web process that ends is not started again and again, and the health check learns of it. One that fails to start
// an instance that was stopped leaves it stopped; any other is left to runit, which goes on trying.
function startWeb(release: Release, { health, host }: Restart): readonly Step[] {
  const { place, generation } = release
  const service = `/etc/service/${layout.runit(place, generation)}`
  const trial = layout.trial(place, generation)
  return healthy(release, health, host).map((step) => ({
    ...step,
    title: `Start the web process until it answers ${health.path}`,
    apply: lines(
      sh`
        ${trialFolder}
        rm -f ${`${trial}.ended`}
        ${noteEnd(`${layout.log(place)}/web`, `${trial}.log`)}
        : >${trial}
        end() {
          code=$?
          rm -f ${trial} ${`${trial}.log`} ${`${trial}.ended`}
          if [ "$code" = 0 ]; then return; fi
          # Its finish script may be about to say "down", which must not come after "up".
          ${stopService(service, 5)}
          if [ -e ${layout.stopped(place)} ]; then touch ${`${service}/down`}
          else sv up ${service} >/dev/null || :
          fi
        }
        trap end EXIT
        rm -f ${`${service}/down`} ${`${layout.ends}/${layout.runit(place, generation)}`}
        # What a process that was killed has left there is nobody's.
        if ! sv status ${service} | grep -q '^run'; then rm -f ${layout.socket(place, generation)}; fi
        sv up ${service} >/dev/null
      `,
      step.apply,
    ),
  }))
}

function startProcesses({ name }: Place) {
  return sh`
    for service in /etc/service/${name}.process.*; do
      [ -e "$service" ] || continue
      # How often it has ended counts from here.
      rm -f "$service/down" ${layout.ends}/"\${service##*/}"
      sv -w 10 start "$service"
    done
  `
}
