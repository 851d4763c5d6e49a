import { duration, size } from '../../engine/report/progress-text.js'
import { sh } from '../../engine/shell/sh.js'
import { tolerance } from '../clock.js'
import { type Attention, type NodePart, pairs } from './part.js'

const giga = 1024 ** 3

/** The node itself: disks, inodes, memory, load, clock, updates, reboot. */
export const machine: NodePart = {
  name: 'machine',
  look: () => sh`
    date '+now %s'
    echo "uptime $(cut -d . -f 1 /proc/uptime)"
    echo "load $(cut -d ' ' -f 1-3 /proc/loadavg) $(nproc)"
    awk '{ kib[$1] = $2 } END { print "memory", kib["MemTotal:"], kib["MemAvailable:"], kib["SwapTotal:"], kib["SwapFree:"] }' /proc/meminfo
    for path in / /var /web; do
      blocks=$(df -Pk "$path" 2>/dev/null | awk 'NR == 2 { print $3 + $4, $4, $6 }')
      if [ -n "$blocks" ]; then printf 'disk:%s %s %s\n' "\${blocks##* }" "\${blocks% *}" "$(df -Pi "$path" | awk 'NR == 2 { print $2, $4 }')"; fi
    done
    # From the lists that the node fetched last; nothing is asked of a server.
    updates=$(apt-get -s -o Debug::NoLocking=1 dist-upgrade 2>/dev/null | grep '^Inst ' || :)
    printf 'updates %s %s\n' "$(printf '%s' "$updates" | grep -c . || :)" "$(printf '%s' "$updates" | grep -ci security || :)"
    if [ -e /run/reboot-required ]; then echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"; fi
  `,
  read(printed, { node, between: [before, after] }) {
    const facts = pairs(printed)
    const numbers = (name: string) => (facts[name] ?? '').split(' ').map(Number)
    const [total = 0, available = 0, swap = 0, swapFree = 0] = numbers('memory').map((kib) => kib * 1024)
    const [load = 0, load5 = 0, load15 = 0, cpus = 1] = numbers('load')
    const disks = Object.keys(facts)
      .filter((name) => name.startsWith('disk:'))
      .map((name) => {
        const [blocks = 0, free = 0, inodes = 0, inodesFree = 0] = numbers(name)
        return { path: name.slice(5), size: blocks * 1024, free: free * 1024, inodes, inodes_free: inodesFree }
      })
    const [updates = 0, security = 0] = numbers('updates')
    const clock = clockDifference(Number(facts.now), before, after)
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
    const used = (bytes: number, free: number) => (bytes === 0 ? 0 : Math.round((1 - free / bytes) * 100))
    return {
      rows: [
        ...disks.map((disk): [string, string] => [
          `disk ${disk.path}`,
          `${used(disk.size, disk.free)}% of ${size(disk.size)}${disk.inodes > 0 ? `, ${used(disk.inodes, disk.inodes_free)}% of inodes` : ''}`,
        ]),
        [
          'memory',
          `${used(total, available)}% of ${size(total)}${swap > 0 ? `, swap ${used(swap, swapFree)}% of ${size(swap)}` : ''}`,
        ],
        ['load', `${[load, load5, load15].map((each) => each.toFixed(2)).join(' ')} on ${cpus} CPU${cpus === 1 ? '' : 's'}`],
        [
          'system',
          [
            `up ${days(Number(facts.uptime))}`,
            updates === 0
              ? 'no updates wait'
              : `${updates} update${updates === 1 ? ' waits' : 's wait'}${security > 0 ? `, ${security} for security` : ''}`,
            ...(Math.abs(clock) < 3 ? [] : [`clock ${duration(Math.abs(clock))} ${clock > 0 ? 'ahead' : 'behind'}`]),
            ...(reboot ? ['wants a reboot'] : []),
          ].join(', '),
        ],
      ],
      data: {
        uptime: Number(facts.uptime),
        load: [load, load5, load15],
        cpus,
        memory: { size: total, available, swap, swap_free: swapFree },
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
