import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { Release } from './release.js'

/** What is to be migrated, from before the release command until it has ended: lines `APP.NAME KIND`. */
export function pendingMigrations({ place, id }: Release): string {
  return `${layout.meta(place, id)}/pending`
}

// Not in the release's folder: a release that failed is removed, and what it has migrated stays.
function record(place: Place): string {
  return `${layout.settings(place)}/migrations`
}

/** Turns what a framework foretells, on stdin, into lines `APP.NAME KIND`. */
export const readMigrations = sh`sed -n 's/^kraft-migration \([A-Za-z0-9_]\{1,\}\) \([A-Za-z0-9_]\{1,\}\) \(irreversible\|reversible\)$/\1.\2 \3/p'`

/** Notes what a release has migrated: what was pending before, without what still is (the file that `left` names). */
export function noteMigrations(release: Release, left: Sh): Sh {
  const pending = pendingMigrations(release)
  return sh`
    grep -vxF -f ${left} ${pending} | sed ${`s/^/${release.id} /`} >>${record(release.place)} || :
    rm -f ${pending}
  `
}

/** Prints the migrations that a release has applied: lines `APP.NAME KIND`, KIND being `reversible` or `irreversible`. */
export function migrationsOf(place: Place, release: string): Sh {
  return sh`awk -v release=${release} '$1 "" == release { print $2, $3 }' ${record(place)} 2>/dev/null || :`
}

/** Prints the migrations that stay applied when an instance goes back to a release: those of all later ones, as above. */
export function migrationsSince(place: Place, release: string): Sh {
  return sh`awk -v release=${release} '$1 "" > release && !seen[$2]++ { print $2, $3 }' ${record(place)} 2>/dev/null || :`
}

const mark = 'stays applied: '

/** Says which migrations stay applied when an instance goes back to a release. */
export function staysApplied({ place, id }: Release): readonly Step[] {
  const since = migrationsSince(place, id)
  return [
    {
      title: 'Migrations that stay applied',
      quiet: true,
      loud: true,
      check: sh`test -z "$(${since})"`,
      apply: lines(sh`(`, since, sh`) | sed ${`s/^/${mark}/`}`),
    },
  ]
}

/** The migrations that {@link staysApplied} has named, in words for people. */
export function readStaying(output: readonly string[]): readonly string[] {
  return output.filter((line) => line.startsWith(mark)).map((line) => inWords(line.slice(mark.length)))
}

/**
 * What {@link migrationsOf} and {@link migrationsSince} print, in words for people; undefined where there is none.
 *
 * @example describeMigrations('shop.0002_price reversible\n') // 'shop.0002_price'
 */
export function describeMigrations(printed: string): string | undefined {
  const rows = printed.split('\n').filter((row) => row !== '')
  return rows.length === 0 ? undefined : rows.map(inWords).join(', ')
}

function inWords(row: string): string {
  const [name = '', kind] = row.split(' ')
  return kind === 'irreversible' ? `${name} (which Django can't take back)` : name
}
