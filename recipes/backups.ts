import * as v from 'valibot'
import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

const made = v.object({
  id: v.string(),
  /** ISO 8601, UTC: the moment that it shows. */
  time: v.string(),
  /** Bytes in S3. */
  size: v.number(),
  release: v.string(),
  services: v.array(v.string()),
  encrypted: v.boolean(),
})

const drilled = v.object({
  id: v.string(),
  time: v.string(),
  ok: v.boolean(),
  /** Why it failed. */
  reason: v.optional(v.string()),
})

const state = v.object({
  running: v.boolean(),
  overdue: v.boolean(),
  /** The last good one. */
  success: v.nullable(v.object({ ...made.entries, seconds: v.number() })),
  /** The last one, where that failed. */
  failure: v.nullable(v.object({ time: v.string(), reason: v.string() })),
  drill: v.nullable(drilled),
})

/** A backup in S3. */
export type Backup = v.InferOutput<typeof listed>
const listed = v.object({
  ...made.entries,
  /** False: what S3 holds has another size than what was sent, or is gone. */
  whole: v.boolean(),
})

/** How it stands with the backups of an instance. */
export type BackupState = v.InferOutput<typeof state>

/** The command line that asks the script on the node. */
export function backupScript(place: Place, ...words: readonly string[]): Sh {
  return sh`python3 -B ${`${layout.backup(place)}/backup.py`} ${words}`
}

/** Prints how it stands with the backups of an instance, for {@link parseBackups}; nothing where none are made. Asks only the node. */
export function readBackups(place: Place): Sh {
  return sh`if [ -e ${`${layout.backup(place)}/settings.json`} ]; then printf 'backups %s\n' "$(${backupScript(place, 'state')})"; fi`
}

/** Reads what {@link readBackups} printed, among other lines. Undefined where no backups are made. */
export function parseBackups(text: string): BackupState | undefined {
  const json = /^backups (.*)$/m.exec(text)?.[1]
  if (json === undefined) return undefined
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), state), json)
  if (read.success) return read.output
  const failure = { time: new Date(0).toISOString(), reason: 'the script on the node does not say how it stands' }
  return { running: false, overdue: false, success: null, failure, drill: null }
}

/** Reads what the script's `list` printed; the newest first. */
export function parseList(json: string): readonly Backup[] {
  return v.parse(v.array(listed), JSON.parse(json))
}

/** How it stands in words, with what to do where that is not well. `word` is what stands behind the colon. */
export function describeBackups(
  { running, overdue, success, failure, drill }: BackupState,
  word: string,
  now = new Date(),
): string {
  const last = success === null ? 'no backup yet' : `last backup ${age(success.time, now)} ago`
  const parts = [
    running ? `${last}, one runs` : last,
    ...(failure === null ? [] : [`the last one FAILED (${failure.reason})`]),
    ...(overdue ? [`OVERDUE: kraft backups:${word} run`] : []),
    ...(drill === null || drill.ok ? [] : [`the last drill FAILED (${drill.reason ?? drill.id})`]),
  ]
  return parts.join(', ')
}

function age(time: string, now: Date): string {
  const hours = Math.floor((now.getTime() - new Date(time).getTime()) / 3_600_000)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}
