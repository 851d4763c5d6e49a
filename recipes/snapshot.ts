import { type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { type DataService, dumpMembers } from './bundle.js'
import type { Release } from './release.js'
import type { HeldRelease } from './state.js'

/** The folder below those of dumps that has the data as they were before a release's command ran. */
export function snapshotOf(release: string): string {
  return `before-${release}`
}

/** Keeps a copy of all data on the node, as they are before a release. */
export function takeSnapshot({ place, id }: Release, services: readonly DataService[]): readonly Step[] {
  return dumpMembers(place, snapshotOf(id), services).map((step) => ({ ...step, title: `Snapshot: ${step.title}` }))
}

/** A snapshot goes with its release, also where none are taken any more. */
export function pruneSnapshots(place: Place): readonly Step[] {
  return [
    {
      title: 'Remove snapshots of releases that are gone',
      quiet: true,
      check: sh`
        if [ ! -d ${layout.dumps(place)} ]; then exit 0; fi
        cd ${layout.dumps(place)}
        for each in before-*; do
          test ! -d "$each" || test -d ../releases/"\${each#before-}"
        done
      `,
      apply: sh`
        cd ${layout.dumps(place)}
        for each in before-*; do
          if [ -d "$each" ] && [ ! -d ../releases/"\${each#before-}" ]; then rm -rf "./$each"; fi
        done
      `,
    },
  ]
}

/** Prints the snapshots that a node has, for {@link snapshotFor}. */
export function listSnapshots(place: Place): Sh {
  return sh`cd ${layout.dumps(place)} 2>/dev/null && ls -1d before-* 2>/dev/null || :`
}

/**
 * The release whose snapshot has the data that another one left: that of the deploy which took its place. One that never served took
 * nobody's, and whoever rolled back from one went on with the release before it, which so left its data later. Undefined where that
 * deploy took none.
 */
export function snapshotFor(
  listed: string,
  left: string,
  releases: readonly Pick<HeldRelease, 'id' | 'served' | 'bad'>[],
): string | undefined {
  const after = releases.filter(({ id, served }) => served && id > left).toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const next = after.find(({ bad }) => bad === undefined) ?? after.at(-1)
  return next !== undefined && listed.split('\n').includes(snapshotOf(next.id)) ? next.id : undefined
}
