import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { clocksAgree } from './clock.js'

/** What must be so before a deploy begins, where it is `now`; nothing is changed here, so a node that fails it is as it was. */
export function preflight(node: string, now: Date): readonly Step[] {
  return [
    {
      title: 'The node is bootstrapped',
      check: sh`test -d /etc/service && getent passwd web >/dev/null && command -v nginx curl setpriv >/dev/null`,
      apply: sh`
        echo 'runit, nginx or the user web are missing here'
        printf 'Prepare the node first:  kraft bootstrap:%s\n' ${node}
        exit 1
      `,
    },
    ...clocksAgree(node, now),
    room('/web', 256, 20_000),
    // Users, settings and services, and what all of these log: little, but a deploy can't do without.
    room('/', 64, 2000, '/web'),
    room('/var', 64, 2000, '/web', '/'),
  ]
}

/** Where `path` is on the file system of one of `others`, that has been looked at. */
function room(path: string, megabytes: number, inodes: number, ...others: readonly string[]): Step {
  const wanted = `A deploy wants ${megabytes} MB and ${inodes.toLocaleString('en-US')} inodes free on ${path}`
  return {
    title: path === '/web' ? 'Room on the disk' : `Room on the disk of ${path}`,
    check: sh`
      disk() { df --output=target "$1" | tail -n 1; }
      for other in ${others}; do
        if [ "$(disk "$other")" = "$(disk ${path})" ]; then exit 0; fi
      done
      test "$(df --output=avail -k ${path} | tail -n 1)" -gt ${megabytes * 1024}
      inodes=$(df --output=iavail ${path} | tail -n 1)
      test "$inodes" -eq 0 || test "$inodes" -gt ${inodes}
    `,
    apply: sh`
      df -h ${path}
      df -i ${path}
      echo ${wanted}
      exit 1
    `,
  }
}
