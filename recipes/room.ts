import { type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { bundleSize, type Member } from '../project/manifest.js'
import type { Place } from '../project/service.js'

// What is left for all others who write there.
const spare = { megabytes: 100, inodes: 100 }

// Databases keep theirs below /var/lib.
const paths = ({ home }: Place) => [home, '/var/lib']

/**
 * Shell that refuses a dump for which a folder's disk has no room, before anything is written. So many scripts `size0`… of the step say how
 * much it takes: a service that can't say it now says why when it is dumped.
 */
export const roomForDump = (folder: string, sizes: number, copies: number): Sh => sh`
  bytes=0
  for each in ${Array.from({ length: sizes }, (_, index) => index)}; do
    size=$(sh -e "$KRAFT_STEP/size$each" 2>/dev/null) || size=0
    bytes=$((bytes + size * ${copies}))
  done
  wanted=$((bytes / 1024 / 1024 + ${spare.megabytes}))
  free=$(df --output=avail -m ${folder} | tail -n 1 | tr -d ' ')
  # Where there is no such limit, these are none.
  set -- $(df --output=iavail,itotal ${folder} | tail -n 1)
  if [ "$free" -lt "$wanted" ]; then
    printf 'This dump wants up to %s MB free on %s, where %s MB are: %s MB too few. ' "$wanted" ${folder} "$free" "$((wanted - free))"
  elif [ "$2" -gt 0 ] 2>/dev/null && [ "$1" -lt ${spare.inodes} ]; then
    printf 'This dump wants %s inodes free on %s, where %s are. ' ${spare.inodes} ${folder} "$1"
  else
    wanted=
  fi
  if [ -n "$wanted" ]; then
    echo 'Remove what is not needed there, or dump one service at a time (--only)'
    exit 1
  fi
`

/** A bundle, and what it becomes: what pg_dump has packed is three times as large in a database, more or less. */
const packed = 4

/** What must be so before a bundle is sent: it lies on the node as a whole, and once more as the data that are loaded from it. */
export function roomFor(place: Place, { members }: { readonly members: readonly Pick<Member, 'size'>[] }): readonly Step[] {
  const megabytes = Math.ceil((bundleSize(members) * packed) / 1024 ** 2) + spare.megabytes
  return [
    {
      title: 'Room for the bundle and a copy of the data',
      quiet: true,
      check: sh`
        for path in ${paths(place)}; do
          test "$(df --output=avail -m "$path" | tail -n 1)" -ge ${megabytes}
        done
      `,
      apply: sh`
        df -h ${paths(place)}
        echo ${`A load of this bundle wants ${megabytes} MB free on ${paths(place).join(' and on ')}`}
        exit 1
      `,
    },
  ]
}

/** Shell that prints which disk is so full that a load has to end, before whatever is live finds none of it left. */
export const roomLeft = (place: Place): Sh =>
  sh`df --output=avail,target -m ${paths(place)} | awk ${`NR > 1 && $1 < ${spare.megabytes / 2} { print $2; exit }`}`

/** Shell that says so. */
export const noRoomLeft = (disk: Sh): Sh =>
  sh`printf 'It becomes larger than the room that there is: it was ended with the last %s MB of %s\n' ${spare.megabytes / 2} ${disk}`
