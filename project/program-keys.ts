import * as v from 'valibot'
import type { Section } from '../engine/config/section.js'
import { word } from './name.js'
import { scheduleProblem } from './schedule.js'

/** A program that is kept running: `processes:`. */
export interface ProcessSetting {
  readonly command: string
  /** Copies on each node that runs processes. */
  readonly count: number
  /** Bytes. */
  readonly memory?: number
  /** Seconds between TERM and KILL; undefined for those that a request may take. */
  readonly stop?: number
}

/** A command that cron runs: `cron:`. */
export interface CronSetting {
  readonly schedule: string
  readonly command: string
}

/** When a hook runs. */
const hookNames = ['before-build', 'after-build', 'before-release', 'after-release', 'before-switch', 'after-switch'] as const
export type HookName = (typeof hookNames)[number]

/** One command of a hook. */
export interface HookCommand {
  readonly command: string
  /** On the machine that deploys, not on the node. */
  readonly local: boolean
}

/** Schemas that all keys share. */
interface Plain {
  readonly command: v.GenericSchema<string, string>
  readonly size: v.GenericSchema<string | number, number>
  whole(least: number, most: number): v.GenericSchema<number, number>
}

const leastMemory = 32 * 1024 ** 2
const entryName = v.pipe(v.string(), v.regex(word, 'named in small letters, digits and hyphens'))
const processName = v.pipe(entryName, v.notValue('web', 'something else: the web process is made of wsgi and workers'))

/** What an instance runs beside its web process, and around a deploy. */
export function programKeys({ command, size, whole }: Plain) {
  return {
    processes: {
      schema: v.optional(v.record(processName, processes(command, size, whole)), {}),
      doc: 'More programs to keep running, by name: a command, or command with count, memory and stop (seconds)',
      example: { worker: 'celery -A calculator worker' },
    },
    cron: {
      schema: v.optional(v.record(entryName, cron(command)), {}),
      doc: "Commands that run at set times, by name; times are those of the node's time zone",
      example: { nightly: { schedule: '30 4 * * *', command: 'manage.py clearsessions' } },
    },
    lock_timeout: {
      schema: v.optional(whole(0, 3600)),
      doc: 'Seconds that a statement of the release command waits for a lock of PostgreSQL; 0 for ever. Default: 5 with the service postgres',
      example: 5,
    },
    hooks: {
      schema: v.optional(v.record(v.picklist(hookNames), hook(command)), {}),
      doc: `Commands around the phases of a deploy, on the node or (local) here: ${hookNames.join(', ')}`,
      example: { 'after-switch': [{ local: 'notify-send deployed' }] },
    },
  } satisfies Section
}

function processes(command: Plain['command'], size: Plain['size'], whole: Plain['whole']) {
  const alone = v.pipe(
    command,
    v.transform((value): ProcessSetting => ({ command: value, count: 1 })),
  )
  const map = v.pipe(
    // The list of keys comes first, so that a misspelt one gets its hint.
    v.record(v.picklist(['command', 'count', 'memory', 'stop']), v.unknown()),
    withKeys('command'),
    v.object({
      command: v.pipe(command, v.description('What is kept running')),
      count: v.optional(v.pipe(whole(0, 64), v.description('Copies on each node that runs processes')), 1),
      memory: v.exactOptional(
        v.pipe(
          size,
          v.minValue(leastMemory, 'at least 32 MB: a shell and Python need that to begin'),
          v.description('Memory that each of its programs can have, as in 400 MB'),
        ),
      ),
      stop: v.exactOptional(v.pipe(whole(1, 3600), v.description('Seconds between TERM and KILL. Default: timeout'))),
    }),
  )
  return v.lazy((input): v.GenericSchema<unknown, ProcessSetting> => (typeof input === 'string' ? alone : map))
}

/** When something runs, as cron writes it. */
export const scheduleSchema = v.pipe(
  v.string(),
  v.trim(),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? scheduleProblem(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
)

function cron(command: Plain['command']) {
  return v.pipe(
    v.record(v.picklist(['schedule', 'command']), v.unknown()),
    withKeys('schedule', 'command'),
    v.object({
      schedule: v.pipe(scheduleSchema, v.description('When, as cron writes it: 30 4 * * *')),
      command: v.pipe(command, v.description('What runs then')),
    }),
  )
}

function hook(command: Plain['command']) {
  const onNode = v.pipe(
    command,
    v.transform((value): HookCommand => ({ command: value, local: false })),
  )
  const here = v.pipe(
    v.record(v.picklist(['local']), v.unknown()),
    withKeys('local'),
    v.object({ local: v.pipe(command, v.description('A command on the machine that deploys')) }),
    v.transform(({ local }): HookCommand => ({ command: local, local: true })),
  )
  const one = v.lazy((input): v.GenericSchema<unknown, HookCommand> => (typeof input === 'object' ? here : onNode))
  const alone = v.pipe(
    one,
    v.transform((value) => [value]),
  )
  return v.lazy((input): v.GenericSchema<unknown, HookCommand[]> => (Array.isArray(input) ? v.array(one) : alone))
}

function withKeys(...keys: readonly string[]) {
  return v.check(
    (map: Readonly<Record<string, unknown>>) => keys.every((key) => Object.hasOwn(map, key)),
    `a map with ${keys.join(' and ')}`,
  )
}
