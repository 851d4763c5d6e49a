import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { install } from './apt.js'
import { skipInContainer } from './container.js'

// Installing timesyncd would remove these.
const daemons = ['chrony.service', 'ntpsec.service', 'ntp.service', 'openntpd.service', 'systemd-timesyncd.service']

/** The clock is kept right: by the daemon that runs already, else by systemd-timesyncd. A container has its host's clock. */
export function time(): readonly Step[] {
  return [
    {
      title: 'The clock is kept right',
      check: lines(
        skipInContainer('a container has the clock of its host'),
        sh`
          for unit in ${daemons}; do
            if systemctl is-active --quiet "$unit" && systemctl is-enabled --quiet "$unit"; then exit 0; fi
          done
          exit 1
        `,
      ),
      apply: lines(
        sh`(`,
        install(['systemd-timesyncd']),
        sh`
          )
          systemctl enable --quiet --now systemd-timesyncd.service
        `,
      ),
      diff: sh`echo 'install and start systemd-timesyncd'`,
    },
  ]
}
