import { duration, size } from '../../engine/report/progress-text.js'
import { sh } from '../../engine/shell/sh.js'
import { tolerance } from '../clock.js'
import { measure, parseMeasures, percentUsed } from './measures.js'
import { type Attention, type NodePart, pairs } from './part.js'

const giga = 1024 ** 3

/** The node itself: disks, inodes, memory, load, clock, updates, reboot. */
export const machine: NodePart = {
  name: 'machine',
  look: () => sh`
    ${measure()}
    # From the lists that the node fetched last; nothing is asked of a server.
    updates=$(apt-get -s -o Debug::NoLocking=1 dist-upgrade 2>/dev/null | grep '^Inst ' || :)
    printf 'updates %s %s\n' "$(printf '%s' "$updates" | grep -c . || :)" "$(printf '%s' "$updates" | grep -ci security || :)"
    if [ -e /run/reboot-required ]; then echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"; fi
  `,
  read(printed, { node, between: [before, after] }) {
    const facts = pairs(printed)
    const { now, uptime, load, cpus, memory, disks } = parseMeasures(printed)
    const { size: total, available, swap, swap_free: swapFree } = memory
    const numbers = (name: string) => (facts[name] ?? '').split(' ').map(Number)
    const [updates = 0, security = 0] = numbers('updates')
    const clock = clockDifference(now, before, after)
    const reboot = 'reboot' in facts
    const attention: readonly (Attention | undefined)[] = [
      ...disks.map(({ path, size: bytes, free }): Attention | undefined =>
        free < bytes / 10 && free < 5 * giga
          ? {
              what: `${size(free)} are left on ${path}`,
              next: `What takes it: kraft run:${node.name} -- du -xh --max-depth 2 ${path}`,
            }
          : undefined,
      ),
      ...disks.map(({ path, inodes, inodes_free: free }): Attention | undefined =>
        // Some file systems have no number of their own.
        inodes > 0 && free < inodes / 20
          ? {
              what: `Only ${free} more files fit on ${path} (inodes)`,
              next: `What has so many: kraft run:${node.name} -- du -x --inodes --max-depth 2 ${path}`,
            }
          : undefined,
      ),
      total > 0 && available < total / 20
        ? {
            what: `${size(available)} of memory are left`,
            next: `What takes it: kraft run:${node.name} -- ps -eo rss,user,args --sort -rss`,
          }
        : undefined,
      Math.abs(clock) > tolerance
        ? {
            what: `Its clock differs by ${duration(Math.abs(clock))} from this machine's`,
            next: `No deploy goes there before both are right: kraft run:${node.name} -- timedatectl`,
          }
        : undefined,
      reboot
        ? {
            what: `It wants a reboot (${facts.reboot || 'updates'})`,
            next: `When it suits: kraft run:${node.name} -- sudo reboot`,
          }
        : undefined,
    ]
    return {
      rows: [
        ...disks.map((disk): [string, string] => [
          `disk ${disk.path}`,
          `${percentUsed(disk.size, disk.free)}% of ${size(disk.size)}${disk.inodes > 0 ? `, ${percentUsed(disk.inodes, disk.inodes_free)}% of inodes` : ''}`,
        ]),
        [
          'memory',
          `${percentUsed(total, available)}% of ${size(total)}${swap > 0 ? `, swap ${percentUsed(swap, swapFree)}% of ${size(swap)}` : ''}`,
        ],
        ['load', `${load.map((each) => each.toFixed(2)).join(' ')} on ${cpus} CPU${cpus === 1 ? '' : 's'}`],
        [
          'system',
          [
            `up ${days(uptime)}`,
            updates === 0
              ? 'no updates wait'
              : `${updates} update${updates === 1 ? ' waits' : 's wait'}${security > 0 ? `, ${security} for security` : ''}`,
            ...(Math.abs(clock) < 3 ? [] : [`clock ${duration(Math.abs(clock))} ${clock > 0 ? 'ahead' : 'behind'}`]),
            ...(reboot ? ['wants a reboot'] : []),
          ].join(', '),
        ],
      ],
      data: {
        uptime,
        load,
        cpus,
        memory,
        disks,
        clock,
        updates,
        security_updates: security,
        reboot,
      },
      attention: attention.filter((each) => each !== undefined),
    }
  },
}

/** Seconds by which a node's clock is ahead, as far as the time that the question took lets it be known. */
export function clockDifference(now: number, before: Date, after: Date): number {
  const [first, last] = [Math.floor(before.getTime() / 1000), Math.ceil(after.getTime() / 1000)]
  return now < first ? now - first : now > last ? now - last : 0
}

function days(seconds: number): string {
  return seconds < 172_800 ? duration(seconds) : `${Math.floor(seconds / 86_400)} days`
}
