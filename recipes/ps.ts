import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { type Counts, parseCounts, readCounts } from './scale.js'

/** One program of an instance on a node. */
export interface Program {
  /** `web`, one of its workers, one of `processes:`, or an entry of `cron:`. */
  readonly kind: 'web' | 'web worker' | 'process' | 'cron'
  /** `web`, `web.1`, `worker.1`, `nightly`. */
  readonly name: string
  /** runit's word (run, down, finish); of a web process that is not the current one `old`; of a cron entry run or waiting. */
  readonly state: string
  /** Seconds that it has been in this state; of a cron entry that waits, since its last run ended. */
  readonly seconds?: number
  readonly pid?: number
  /** Bytes in memory, with what it has started; what its processes share counts for each. */
  readonly memory?: number
  /** How often it ended since it was last started on purpose. */
  readonly restarts?: number
  /** The last code that it ended with. */
  readonly code?: number
  /** The signal that has ended it instead, the last time: `SIGKILL`. */
  readonly signal?: string
}

/** How a program ended the last time: `code 1` or `SIGKILL`; undefined where it has not. */
export function howEnded({ code, signal }: Pick<Program, 'code' | 'signal'>): string | undefined {
  return signal ?? (code === undefined ? undefined : `code ${code}`)
}

/** What {@link lookAtPrograms} has found. */
export interface Programs {
  readonly timezone: string
  readonly programs: readonly Program[]
  /** What `kraft scale` has set. */
  readonly scaled: Counts
}

/** Prints what runs of an instance, in sections for {@link readPrograms}. Changes nothing. */
export function lookAtPrograms(place: Place): Sh {
  const { name } = place
  return sh`
    date '+time %s %Z'
    echo "live $(readlink ${layout.current(place)}/.kraft/live)"
    for service in /etc/service/${name}.web.* /etc/service/${name}.process.*; do
      [ -e "$service" ] || continue
      service=\${service##*/}
      printf 'service %s %s %s\n' "$service" "$(cat ${layout.ends}/"$service" 2>/dev/null || echo '0 -')" "$(sv status "/etc/service/$service")"
    done
    for entry in ${layout.cron(place)}/*; do
      if [ -e "$entry" ]; then printf 'cron %s %s\n' "\${entry##*/}" "$(cat /run/web/.cron/${name}."\${entry##*/}" 2>/dev/null)"; fi
    done
    (
      ${readCounts(place)}
    ) | sed 's/^/count /'
    ps -e -o pid=,ppid=,rss=,etimes= | sed 's/^ */process /'
  `
}

/** Reads what {@link lookAtPrograms} has printed. */
export function readPrograms(printed: string): Programs {
  const rows = printed.split('\n').map((row) => row.split(/\s+/))
  const of = (kind: string) => rows.filter(([word]) => word === kind).map(([, ...words]) => words)
  const [[now = '0', timezone = '']] = [of('time')[0] ?? []]
  const live = of('live')[0]?.[0]
  const running = new Running(of('process'))
  const services = of('service').flatMap(([service = '', ends = '0', how = '-', ...status]): readonly Program[] => {
    const [, kind, ...name] = service.split('.')
    const pid = numberAfter(status, '(pid')
    const state = (status[0] ?? '').replace(':', '')
    const common = {
      state,
      ...given('seconds', secondsOf(status)),
      ...given('pid', pid),
      restarts: Number(ends),
      ...(ends === '0' ? {} : endOf(how)),
    }
    if (kind === 'process') return [{ kind: 'process', name: name.join('.'), ...common, ...given('memory', running.memory(pid)) }]
    const master = { kind: 'web' as const, name: 'web', ...common, ...given('memory', running.own(pid)) }
    const workers = running.children(pid).map(
      (child, index): Program => ({
        kind: 'web worker',
        name: `web.${index + 1}`,
        state,
        pid: child.pid,
        seconds: child.seconds,
        ...given('memory', running.memory(child.pid)),
      }),
    )
    return [master, ...workers].map((program) => (name[0] === live ? program : { ...program, state: 'old' }))
  })
  const cron = of('cron').map(([entry = '', begun, pid, ended, code]): Program => {
    const common = { kind: 'cron' as const, name: entry }
    const id = Number(pid)
    if (begun !== undefined && ended === undefined && running.has(id)) {
      return { ...common, state: 'run', seconds: Number(now) - Number(begun), pid: id, ...given('memory', running.memory(id)) }
    }
    if (ended === undefined) return { ...common, state: 'waiting' }
    return { ...common, state: 'waiting', seconds: Number(now) - Number(ended), code: Number(code) }
  })
  const counts = of('count').map((words) => words.join(' '))
  return { timezone, programs: [...services, ...cron], scaled: parseCounts(counts.join('\n')) }
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly memory: number
  readonly seconds: number
}

/** The processes of a node. */
class Running {
  private readonly all: readonly Process[]

  constructor(rows: readonly (readonly string[])[]) {
    this.all = rows.map(([pid, parent, kib, seconds]) => ({
      pid: Number(pid),
      parent: Number(parent),
      memory: Number(kib) * 1024,
      seconds: Number(seconds),
    }))
  }

  has(pid: number): boolean {
    return this.all.some((process) => process.pid === pid)
  }

  children(of: number | undefined): readonly Process[] {
    return this.all.filter(({ parent }) => parent === of)
  }

  own(pid: number | undefined): number | undefined {
    return this.all.find((process) => process.pid === pid)?.memory
  }

  /** With all that it has started. */
  memory(pid: number | undefined): number | undefined {
    const own = this.own(pid)
    return own === undefined ? undefined : this.children(pid).reduce((sum, child) => sum + (this.memory(child.pid) ?? 0), own)
  }
}

// As the finish scripts write it; those of an older kraft wrote -1 for any signal.
function endOf(how: string): Pick<Program, 'code' | 'signal'> {
  if (how === '-') return {}
  return /^\d+$/.test(how) ? { code: Number(how) } : { signal: how === '-1' ? 'a signal' : how }
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: T }
}

// `run: /etc/service/x: (pid 12) 34s`, `down: /etc/service/x: 3s, normally up`.
function secondsOf(status: readonly string[]): number | undefined {
  const found = status.join(' ').match(/ (\d+)s\b/)?.[1]
  return found === undefined ? undefined : Number(found)
}

function numberAfter(words: readonly string[], word: string): number | undefined {
  const found = words[words.indexOf(word) + 1]
  return words.includes(word) && found !== undefined ? Number.parseInt(found, 10) : undefined
}
