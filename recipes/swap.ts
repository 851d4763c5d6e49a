import { KraftError } from '../engine/errors/failure.js'
import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { skipInContainer } from './container.js'

/**
 * A swap file of so many megabytes, where a node has no swap at all: the peak of a deploy (two generations of workers) ends in
 * slowness instead of the kernel killing PostgreSQL. Skipped in containers and where it would fill half of what is free.
 *
 * @throws KraftError where the size is not a whole number of at least 64.
 * @example swap(1024)
 */
export function swap(megabytes = 1024): readonly Step[] {
  if (!Number.isInteger(megabytes) || megabytes < 64) {
    throw new KraftError({ kind: 'task', message: `swap: ${megabytes} is not a size`, next: 'Give whole megabytes, at least 64' })
  }
  return [
    {
      title: `Swap of ${megabytes} MB`,
      check: lines(
        skipInContainer('a container has no swap of its own'),
        sh`
          if [ "$(wc -l </proc/swaps)" -gt 1 ]; then exit 0; fi
          if [ "$(df --output=avail -m / | tail -n 1)" -lt ${2 * megabytes} ]; then echo 'too little space is free for a swap file'; exit 75; fi
          exit 1
        `,
      ),
      apply: sh`
        new=$(mktemp /.swapfile-XXXXXXXX)
        trap 'rm -f "$new"' EXIT
        chmod 0600 "$new"
        # Written out, because a file with holes can't be swapped to.
        dd if=/dev/zero of="$new" bs=1M count=${megabytes} status=none
        mkswap "$new" >/dev/null
        mv -fT "$new" /swapfile
        new=/swapfile
        swapon /swapfile
        trap - EXIT
        if ! grep -q '^/swapfile[[:space:]]' /etc/fstab; then echo '/swapfile none swap sw 0 0' >>/etc/fstab; fi
      `,
      diff: sh`echo ${`new /swapfile of ${megabytes} MB, in /etc/fstab`}`,
    },
  ]
}
