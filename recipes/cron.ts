import { quote, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { CronSetting } from '../project/program-keys.js'
import type { Place } from '../project/service.js'
import { apt } from './apt.js'
import { absent, directory, file } from './file.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** Where the node's cron finds the entries of an instance. */
export function cronTable({ name }: Place): string {
  return `/etc/cron.d/kraftwerk-${name}`
}

/** The node's cron, where a project has entries for it. */
export function cronDaemon(entries: Readonly<Record<string, CronSetting>>): readonly Step[] {
  return Object.keys(entries).length === 0 ? [] : [...apt('cron'), ...running('cron.service')]
}

/**
 * Commands that the node's cron runs as the instance, in whatever release is current then; those that have left kraftwerk.yaml
 * are removed.
 *
 * @example cron(place, { nightly: { schedule: '30 4 * * *', command: 'manage.py clearsessions' } })
 */
export function cron(place: Place, entries: Readonly<Record<string, CronSetting>>): readonly Step[] {
  const names = Object.keys(entries)
  if (names.length === 0) return [...absent(cronTable(place)), ...absent(layout.cron(place))]
  return [
    ...directory({ path: layout.cron(place), mode: '0700' }),
    ...Object.entries(entries).flatMap(([entry, { command }]) => script(place, entry, command)),
    // cron reads it again by itself, within a minute.
    ...template('instance/cron.conf', { to: cronTable(place), vars: { place, layout, entries } }).map((step) => ({
      ...step,
      loud: true,
      apply: sh`
        (
          ${step.apply}
        )
        printf 'Times of cron are those of the node: it is %s there\n' "$(date '+%H:%M %Z')"
      `,
    })),
    withoutOthers(place, names),
  ]
}

function script(place: Place, entry: string, command: string): readonly Step[] {
  const log = `${layout.log(place)}/cron.${entry}`
  return [
    ...file({
      path: `${layout.cron(place)}/${entry}`,
      content: render('instance/cron.run.sh', { place, layout, entry, command, log, quote }),
      mode: '0700',
    }),
    {
      title: `Log ${log}`,
      check: sh`test -e ${log}`,
      apply: sh`
        umask 027
        touch ${log}
        chgrp ${place.name} ${log}
      `,
    },
  ]
}

function withoutOthers(place: Place, names: readonly string[]): Step {
  const find = sh`
    others() {
      for script in ${layout.cron(place)}/*; do
        case \${script##*/} in ${new Sh(names.join('|'))}) ;; *) echo "$script" ;; esac
      done
    }
  `
  return {
    title: 'No cron entries that have left kraftwerk.yaml',
    check: sh`
      ${find}
      test -z "$(others)"
    `,
    apply: sh`
      ${find}
      others | while read -r script; do rm -f "$script"; done
    `,
  }
}
