import type { Secret } from '../engine/shell/secret.js'
import { lines, sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { absent, file } from './file.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** nginx, and what keeps its logs small (nginx only recommends it). */
export const nginxPackages = ['nginx', 'logrotate'] as const

/** The user that nginx's workers run as on Debian and Ubuntu. */
export const nginxUser = 'www-data'

const test = sh`nginx -t -q`

/**
 * Takes up changed settings without losing a request; settings that nginx refuses are never loaded. nginx is told by a signal: that it
 * has done so shows in new workers, before which a new site would not be found yet.
 */
export const reloadNginx: Handler = {
  name: 'reload-nginx',
  apply: lines(
    test,
    sh`
      workers() { pgrep -P "$(cat /run/nginx.pid 2>/dev/null || echo 0)" | sort || :; }
      before=$(workers)
      systemctl reload-or-restart nginx.service
      for try in $(seq 100); do
        for pid in $(workers); do
          case " $(echo $before) " in *" $pid "*) ;; *) sleep 0.1; exit 0 ;; esac
        done
        sleep 0.05
      done
    `,
  ),
}

/** Like {@link reloadNginx}, for what a reload does not take up: nginx's user being in a new group. */
export const restartNginx: Handler = { name: 'restart-nginx', apply: lines(test, sh`systemctl restart nginx.service`) }

/**
 * A file of nginx's configuration, which only root reads. All of it is tested with the new file first; what nginx refuses is put back
 * as it was.
 *
 * @example nginxFile({ path: '/etc/nginx/sites-enabled/shop.conf', content: 'server { … }' })
 */
export function nginxFile({ path, content }: { readonly path: string; readonly content: string | Secret }): readonly Step[] {
  return file({ path, content, mode: '0600', notify: [reloadNginx] }).map((step) => ({
    ...step,
    apply: sh`
      if [ -e ${path} ]; then cp -p ${path} "$KRAFT_STEP/before"; fi
      (
        ${step.apply}
      )
      if ! nginx -t -q 2>"$KRAFT_STEP/said"; then
        if [ -e "$KRAFT_STEP/before" ]; then cp -p "$KRAFT_STEP/before" ${path}; else rm -f ${path}; fi
        echo 'nginx refuses this configuration; the former one is back:'
        cat "$KRAFT_STEP/said"
        exit 1
      fi
    `,
  }))
}

/**
 * nginx with settings of ours, its default site off, and nothing served under host names that no site claims (unless a site
 * calls itself `default_server`).
 */
export function nginx(): readonly Step[] {
  return [...apt(...nginxPackages), ...nginxSetup()]
}

/** {@link nginx} once its packages are there. */
export function nginxSetup(): readonly Step[] {
  const notify = [reloadNginx]
  const validate = sh`nginx -t -q -c "$KRAFT_FILE"`
  return [
    ...template('nginx/nginx.conf', { to: '/etc/nginx/nginx.conf', validate, notify }),
    ...absent('/etc/nginx/sites-enabled/default', { notify }),
    ...template('nginx/unclaimed.conf', { to: '/etc/nginx/conf.d/00-unclaimed.conf', vars: { listen: '80' }, notify }),
    ...unclaimedOverIpv6(notify),
    ...running('nginx.service'),
  ]
}

// A kernel without IPv6 fails nginx on the mere mention of [::].
function unclaimedOverIpv6(notify: readonly Handler[]): readonly Step[] {
  const unless = sh`if [ ! -e /proc/net/if_inet6 ]; then echo 'this node has no IPv6'; exit 75; fi`
  return template('nginx/unclaimed.conf', {
    to: '/etc/nginx/conf.d/01-unclaimed-ipv6.conf',
    vars: { listen: '[::]:80' },
    notify,
  }).map((step) => ({ ...step, check: lines(unless, step.check) }))
}
