import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/** What must be so before a deploy begins; nothing is changed here, so a node that fails it is as it was. */
export function preflight(node: string): readonly Step[] {
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
    {
      title: 'Room on the disk',
      check: sh`
        test "$(df --output=avail -k /web | tail -n 1)" -gt 262144
        inodes=$(df --output=iavail /web | tail -n 1)
        test "$inodes" -eq 0 || test "$inodes" -gt 20000
      `,
      apply: sh`
        df -h /web
        df -i /web
        echo 'A deploy wants 256 MB and 20,000 inodes free on /web'
        exit 1
      `,
    },
  ]
}
