import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** Megabytes that a process of gunicorn is taken for as long as none has run: Django with few libraries. */
export const usual = 40

// What a container may have is less than what /proc/meminfo says of its machine: each group above the processes to come can have a limit.
// What is held of files counts as used there, and goes where it is needed, as in MemAvailable. Version 1 of cgroups has a tree for memory
// alone, says the same by other names, and limits memory and swap together.
const limits = sh`
  left() {
    most=max
    if [ -r "$1" ]; then read -r most <"$1"; fi
    if [ "$most" = max ]; then echo "$4"; return; fi
    awk -v free="$4" '
      FILENAME == ARGV[1] { left += $1 }
      FILENAME == ARGV[2] { left -= $1 }
      FILENAME == ARGV[3] && $1 ~ /^(inactive_file|active_file|slab_reclaimable)$/ { own += $2 }
      FILENAME == ARGV[3] && $1 ~ /^total_(inactive|active)_file$/ { all += $2 }
      END { left = int((left + (all > own ? all : own)) / 1048576); print (left < 0 ? 0 : (left < free ? left : free)) }
    ' "$1" "$2" "$3"
  }
  below=$(systemctl show --property ControlGroup --value runit.service)
  group=/sys/fs/cgroup$below
  while [ "$group" != /sys/fs ]; do
    memory=$(left "$group/memory.max" "$group/memory.current" "$group/memory.stat" "$memory")
    swap=$(left "$group/memory.swap.max" "$group/memory.swap.current" /dev/null "$swap")
    group=\${group%/*}
  done
  group=/sys/fs/cgroup
  if [ -d "$group/memory" ]; then group=$group/memory$below; fi
  while [ "$group" != /sys/fs/cgroup ]; do
    memory=$(left "$group/memory.limit_in_bytes" "$group/memory.usage_in_bytes" "$group/memory.stat" "$memory")
    both=$(left "$group/memory.memsw.limit_in_bytes" "$group/memory.memsw.usage_in_bytes" "$group/memory.stat" "$((memory + swap))")
    memory=$((both < memory ? both : memory)) swap=$((both - memory))
    group=\${group%/*}
  done
`

/** Shell that sets `memory` and `swap` to the megabytes that are free of them. */
export const freeMemory = sh`
  free() { awk -v name="$1:" '$1 == name { print int($2 / 1024) }' /proc/meminfo; }
  memory=$(free MemAvailable) swap=$(free SwapFree)
  ${limits}
`

/**
 * Refuses new processes that memory can't hold: until the switch they run beside the old ones. They are taken for as large as those that
 * run now, or for {@link usual} each where none run.
 *
 * @example memory(place, 4)
 */
export function memory(place: Place, workers: number): readonly Step[] {
  const measure = sh`
    workers=$(cat ${layout.scale(place)}/web 2>/dev/null || echo ${workers})
    live=$(readlink -f ${layout.current(place)}/.kraft/live 2>/dev/null || :)
    master=$(cat /etc/sv/${place.name}.web."\${live##*/}"/supervise/pid 2>/dev/null || :)
    count=0 kilobytes=0
    for pid in $master $(if [ -n "$master" ]; then pgrep -P "$master"; fi); do
      # Pss: what processes share counts once.
      each=$(awk '/^(Pss|SwapPss):/ { sum += $2 } END { print sum + 0 }' "/proc/$pid/smaps_rollup" 2>/dev/null || :)
      if [ "\${each:-0}" -gt 0 ]; then count=$((count + 1)) kilobytes=$((kilobytes + each)); fi
    done
    if [ "$count" -lt 2 ]; then count=1 kilobytes=${usual * 1024}; fi
    want=$((kilobytes * (workers + 1) / count / 1024))
    ${freeMemory}
    say() {
      printf '%s workers of %s take about %s MB beside what runs; free are %s MB of memory and %s MB of swap\n' \
        "$workers" ${place.name} "$want" "$memory" "$swap"
    }
  `
  return [
    {
      title: 'Memory for new processes beside the old ones',
      check: lines(measure, sh`test "$((memory + swap))" -ge "$want"`),
      apply: lines(
        measure,
        sh`
        say
        echo 'Take fewer workers (workers: in kraftwerk.yaml, or kraft scale), or give the node more memory or swap.'
        echo 'Or stop the site first (kraft stop): then no old processes run beside the new ones.'
        exit 1
      `,
      ),
      diff: lines(measure, sh`say`),
    },
  ]
}
