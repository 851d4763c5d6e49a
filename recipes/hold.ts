import { Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory } from './file.js'
import { writers } from './freeze.js'
import { stopService } from './runit.js'
import { template } from './template.js'

/** How long requests are held. */
export interface Hold {
  /** Seconds after which the node takes the instance back by itself, whatever has become of kraft. */
  readonly seconds: number
  /** Seconds that programs get to finish what they have begun. */
  readonly patience: number
}

const unitOf = ({ name }: Place) => `kraft-move-${name}`
const scriptOf = (place: Place) => `${layout.move(place)}/hold.py`
const liveSocket = (place: Place) => `${layout.current(place)}/.kraft/live/web.sock`

/**
 * From now on nothing writes: requests wait before nginx, web and processes have ended, cron begins nothing. Until it is decided whether
 * the instance goes ({@link leave}) or stays ({@link stay}); a node that hears nothing in time, or boots, has it stay.
 */
export function hold(place: Place, { seconds, patience }: Hold): readonly Step[] {
  const folder = layout.moving(place)
  const unit = unitOf(place)
  const run = (what: string) => sh`/usr/bin/python3 -I ${[scriptOf(place), what, folder, liveSocket(place)]}`
  return [
    ...directory({ path: layout.move(place), mode: '0700' }),
    ...template('move/hold.py', { to: scriptOf(place), mode: '0600', vars: {} }),
    {
      title: `Requests wait, and nothing writes, for ${seconds} s at most`,
      quiet: true,
      apply: sh`
        ${writers(place)}
        # What an earlier one has left goes back to how it was.
        systemctl stop ${unit}.service 2>/dev/null || :
        install -d -o root -g ${place.name} -m 0750 ${layout.sockets(place)} ${folder}
        cd ${folder}
        rm -f undecided longer go back hold hold.sock hold.sock.new
        for service in /etc/service/${place.name}.*; do
          if sv status "$service" 2>/dev/null | grep -q '^run'; then echo "$service"; fi
        done >ran
        : >undecided
        # Whatever fails from here on leaves it here.
        trap 'if [ "$?" != 0 ] && [ -e undecided ]; then mv undecided back; fi' EXIT
        systemd-run --quiet --collect --unit=${unit} --property=${`ExecStopPost=${run('end').text}`} ${run('hold')} ${String(seconds)}
        for try in $(seq 100); do
          if [ -S hold.sock ]; then break; fi
          sleep 0.05
        done
        if [ ! -S hold.sock ]; then echo 'The program that holds requests did not start'; exit 1; fi
        : >hold
        # Who was let through a moment before is taken by the application first.
        for try in $(seq ${patience * 10}); do
          sleep 0.1
          waiting=$(ss -Hxl src ${`unix:${layout.sockets(place)}/*.sock`} 2>/dev/null | awk '{ sum += $3 } END { print sum + 0 }')
          if [ "$waiting" = 0 ] && [ "$try" -gt 1 ]; then break; fi
        done
        if [ "$waiting" != 0 ]; then
          printf 'The application has not taken %s requests within %s s: it has too much to do to be moved now\n' "$waiting" ${patience}
          exit 1
        fi
        while read -r service; do
          (
            ${stopService(new Sh('"$service"'), new Sh(`"$(cat "$service/stop" 2>/dev/null || echo ${patience})"`))}
          ) &
        done <ran
        wait
        for try in $(seq 100); do
          if [ -z "$(writers)" ]; then exit 0; fi
          sleep 0.1
        done
        echo ${`This still runs as ${place.name}, and could write:`}
        ps -o pid=,etime=,args= -p "$(writers | paste -sd , -)" || :
        echo 'Wait for cron jobs, end shells that are open, and move it again'
        exit 1
      `,
    },
  ]
}

/** The instance goes: from one request to the next the other node answers, those that wait first. Fails where the time was over. */
export function leave(place: Place, node: string): readonly Step[] {
  const marker = layout.moved(place)
  return [
    ...directory({ path: layout.closed(place), group: place.name, mode: '0750' }),
    {
      title: `${node} answers, to all that comes here as well`,
      apply: sh`
        umask 027
        cd ${layout.moving(place)}
        printf '%s %s\n' ${node} "$(date -u '+%F %T UTC')" >${`${marker}.new`}
        chgrp ${place.name} ${`${marker}.new`}
        # One of two renames wins: this, or that of a node that has waited long enough.
        if ! mv undecided go 2>/dev/null && ! mv longer go 2>/dev/null; then
          rm -f ${`${marker}.new`}
          ${tooLate}
        fi
        mv -f ${`${marker}.new`} ${marker}
        # No reboot starts what would write here.
        for service in /etc/service/${place.name}.*; do
          if [ -e "$service" ]; then touch "$service/down"; fi
        done
        sync -f ${marker}
        rm -f hold
      `,
    },
  ]
}

/** What comes next must not meet programs that the node has brought back meanwhile: it waits three minutes more. Fails where it was late. */
export function holdLonger(place: Place): readonly Step[] {
  return [
    {
      title: 'Requests still wait',
      quiet: true,
      apply: sh`
        if mv ${`${layout.moving(place)}/undecided`} ${`${layout.moving(place)}/longer`} 2>/dev/null; then exit 0; fi
        ${tooLate}
      `,
    },
  ]
}

const tooLate = sh`
  echo 'The time for which requests are held was over, and the instance goes on here'
  exit 1
`

/** The instance stays: what ran runs again, and whoever waits is answered. Returns once that is so. */
export function stay(place: Place): readonly Step[] {
  return [
    {
      title: `${place.name} goes on here`,
      check: sh`test ! -e ${layout.moving(place)}/hold`,
      apply: sh`
        cd ${layout.moving(place)}
        mv undecided back 2>/dev/null || mv longer back 2>/dev/null || :
        for try in $(seq 700); do
          if [ ! -e hold ]; then exit 0; fi
          if ! systemctl is-active --quiet ${unitOf(place)}.service; then
            /usr/bin/python3 -I ${[scriptOf(place), 'end', layout.moving(place), liveSocket(place)]}
          fi
          sleep 0.1
        done
        echo 'What was stopped did not come up again; does "sv status" of its services say why?'
        exit 1
      `,
    },
  ]
}
