import { type Sh, sh } from '../../engine/shell/sh.js'
import { pairs } from './part.js'

/** A file system of a node; sizes in bytes. */
export interface Disk {
  readonly path: string
  readonly size: number
  readonly free: number
  /** 0 where the file system has no number of its own. */
  readonly inodes: number
  readonly inodes_free: number
}

/** How much of a node is in use at one moment. Sizes are bytes, times seconds. */
export interface Measures {
  /** The node's own clock. */
  readonly now: number
  readonly uptime: number
  /** Of 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number]
  readonly cpus: number
  readonly memory: { readonly size: number; readonly available: number; readonly swap: number; readonly swap_free: number }
  readonly disks: readonly Disk[]
}

/** Prints how much of a node is in use, for {@link parseMeasures}. It costs the node next to nothing. */
export function measure(): Sh {
  return sh`
    date '+now %s'
    echo "uptime $(cut -d . -f 1 /proc/uptime)"
    echo "load $(cut -d ' ' -f 1-3 /proc/loadavg) $(nproc)"
    awk '{ kib[$1] = $2 } END { print "memory", kib["MemTotal:"], kib["MemAvailable:"], kib["SwapTotal:"], kib["SwapFree:"] }' /proc/meminfo
    for path in / /var /web; do
      blocks=$(df -Pk "$path" 2>/dev/null | awk 'NR == 2 { print $3 + $4, $4, $6 }')
      if [ -n "$blocks" ]; then printf 'disk:%s %s %s\n' "\${blocks##* }" "\${blocks% *}" "$(df -Pi "$path" | awk 'NR == 2 { print $2, $4 }')"; fi
    done
  `
}

/** Reads what {@link measure} printed, among other lines. */
export function parseMeasures(printed: string): Measures {
  const facts = pairs(printed)
  const numbers = (name: string) => (facts[name] ?? '').split(' ').map(Number)
  const [size = 0, available = 0, swap = 0, swapFree = 0] = numbers('memory').map((kib) => kib * 1024)
  const [load = 0, load5 = 0, load15 = 0, cpus = 1] = numbers('load')
  const disks = Object.keys(facts)
    .filter((name) => name.startsWith('disk:'))
    .map((name) => {
      const [blocks = 0, free = 0, inodes = 0, inodesFree = 0] = numbers(name)
      return { path: name.slice(5), size: blocks * 1024, free: free * 1024, inodes, inodes_free: inodesFree }
    })
  return {
    now: Number(facts.now),
    uptime: Number(facts.uptime),
    load: [load, load5, load15],
    cpus,
    memory: { size, available, swap, swap_free: swapFree },
    disks,
  }
}

/** How much of something is used, in percent; 0 of nothing. */
export function percentUsed(size: number, free: number): number {
  return size === 0 ? 0 : Math.round((1 - free / size) * 100)
}
