import * as v from 'valibot'
import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { journalFile } from './journal.js'

/** What a release's receipt on the node says; one of an older kraft may say less. */
const receiptSchema = v.object({
  commit: v.optional(v.nullable(v.string())),
  revision: v.optional(v.nullable(v.string())),
  dirty: v.optional(v.boolean(), false),
  by: v.optional(v.string()),
  at: v.optional(v.string()),
  promoted_from: v.optional(v.string()),
})

/** What was written down of a release when it was made. */
export type ReleaseReceipt = v.InferOutput<typeof receiptSchema>

/** A release on a node. */
export interface HeldRelease {
  readonly id: string
  /** It has been switched to at least once. */
  readonly served: boolean
  /** Who rolled back from it and when. */
  readonly bad: string | undefined
  readonly receipt: ReleaseReceipt
}

/** What an instance is on one node. */
export interface InstanceState {
  /** The release that is served and the generation of its processes; undefined before the first deploy. */
  readonly current: { readonly id: string; readonly generation: string } | undefined
  /** The newest first. */
  readonly releases: readonly HeldRelease[]
  /** What all nodes were about to switch to when a deploy was interrupted. */
  readonly rollout: { readonly id: string; readonly generation: string; readonly former: string } | undefined
  /** The node that the instance has moved to from here. */
  readonly moved: string | undefined
  /** Who holds the instance's lock, and since when. */
  readonly holder: string | undefined
}

/** Prints the state of an instance, for {@link parseState}. */
export function readState(place: Place): Sh {
  const lock = `/var/lib/kraftwerk/locks/${place.name}`
  return sh`
    current=$(readlink ${layout.current(place)} || :)
    if [ -n "$current" ]; then printf 'current %s %s\n' "\${current##*/}" "$(readlink ${layout.current(place)}/.kraft/live || :)"; fi
    # A shell reads a line faster than another program starts.
    cd ${place.home}/releases 2>/dev/null && ls -1r | while read -r id; do
      served= bad= receipt=
      if [ -e "$id/.kraft/served" ]; then served=served; fi
      printf 'release %s %s\n' "$id" "$served"
      if [ -e "$id/.kraft/bad" ]; then read -r bad <"$id/.kraft/bad" || :; printf 'bad %s\n' "$bad"; fi
      if [ -e "$id/.kraft/release.json" ]; then
        while IFS= read -r row || [ -n "$row" ]; do receipt=$receipt$row; done <"$id/.kraft/release.json"
      fi
      printf 'receipt %s\n' "$receipt"
    done
    if [ -e ${journalFile(place)} ]; then printf 'rollout %s\n' "$(cat ${journalFile(place)})"; fi
    if [ -e ${layout.moved(place)} ]; then printf 'moved %s\n' "$(cat ${layout.moved(place)})"; fi
    if [ -e ${`${lock}.held`} ] && ! flock -n ${`${lock}.held`} true; then printf 'holder %s\n' "$(cat ${`${lock}.holder`})"; fi
  `
}

/** Reads what {@link readState} printed. */
export function parseState(text: string): InstanceState {
  const rows = text.split('\n').map((row) => {
    const [kind = '', ...words] = row.split(' ')
    return { kind, words, rest: words.join(' ') }
  })
  const pair = (kind: string) => {
    const [id, generation = ''] = rows.find((row) => row.kind === kind)?.words ?? []
    return id === undefined || id === '' ? undefined : { id, generation }
  }
  const releases: HeldRelease[] = []
  for (const { kind, words, rest } of rows) {
    const [last] = releases.slice(-1)
    if (kind === 'release')
      releases.push({ id: words[0] ?? '', served: words[1] === 'served', bad: undefined, receipt: readReceipt('{}') })
    else if (last !== undefined && kind === 'bad') releases.splice(-1, 1, { ...last, bad: rest })
    else if (last !== undefined && kind === 'receipt') releases.splice(-1, 1, { ...last, receipt: readReceipt(rest) })
  }
  return {
    current: pair('current'),
    releases,
    rollout: interrupted(rows.find(({ kind }) => kind === 'rollout')?.words),
    moved: rows.find(({ kind }) => kind === 'moved')?.words[0],
    holder: rows.find(({ kind }) => kind === 'holder')?.rest,
  }
}

// As recipes/journal.ts writes it.
function interrupted([id = '', generation = '', former = '']: readonly string[] = []): InstanceState['rollout'] {
  return id === '' ? undefined : { id, generation, former }
}

function readReceipt(text: string): ReleaseReceipt {
  try {
    return v.parse(receiptSchema, JSON.parse(text === '' ? '{}' : text))
  } catch {
    return { dirty: false }
  }
}

/** The code that a release was made of, in words; empty where it was in no repository. */
export function describeCode({ commit, revision, dirty }: ReleaseReceipt): string {
  const words = [revision, commit?.slice(0, 10), dirty ? 'with changes' : undefined]
  if (revision != null && commit == null) words.splice(1, 2, 'before its first commit')
  return words.filter((word) => word != null).join(' ')
}

/** What was written down of the release that is served. */
export function currentReceipt({ current, releases }: InstanceState): ReleaseReceipt | undefined {
  return releases.find(({ id }) => id === current?.id)?.receipt
}

/**
 * The release that a rollback without an argument goes to: the newest one before the current that has served and that nobody has
 * rolled back from. Where others of the instance's nodes serve a newer one, it is the newest before that.
 */
export function lastGood({ current, releases }: InstanceState, newest = current?.id): string | undefined {
  if (newest === undefined) return undefined
  return releases.find(({ id, served, bad }) => id < newest && served && bad === undefined)?.id
}
