import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { seal } from '../project/bundle.js'
import { layout } from '../project/layout.js'
import { bundleSize, type Manifest } from '../project/manifest.js'
import type { Place, Service, ServiceData } from '../project/service.js'

/** A service that has data. */
export interface DataService {
  readonly service: Service
  readonly data: ServiceData
}

/** A bundle, and what it becomes: what pg_dump has packed is three times as large in a database, more or less. */
const packed = 4

/** The folder on the node where a bundle is put together or taken apart; root's alone. */
export function bundleFolder(place: Place, id: string): string {
  return `${layout.dumps(place)}/${id}`
}

/** Writes the data of each service to a file of its own, with its counts and its SHA-256 beside it. */
export function dumpMembers(place: Place, id: string, services: readonly DataService[]): readonly Step[] {
  const folder = bundleFolder(place, id)
  return [
    { title: 'A folder for the dump', quiet: true, apply: sh`umask 077; rm -rf ${folder}; mkdir -p ${folder}` },
    ...services.map(({ service, data }) => ({
      title: `Dump ${service.name}`,
      quiet: true,
      files: { dump: `${data.dump(place).text}\n` },
      apply: sh`
        umask 077
        KRAFT_OUT=${`${folder}/${data.member}`} sh -e "$KRAFT_STEP/dump" >${`${folder}/${data.member}.counts`}
        cd ${folder}
        sha256sum ${data.member} >${`${data.member}.sha256`}
      `,
    })),
  ]
}

/** Prints what {@link readMembers} reads: size, hash and counts of each member. */
export function describeMembers(place: Place, id: string, services: readonly DataService[]): Sh {
  const folder = bundleFolder(place, id)
  return lines(
    sh`set -e; cd ${folder}`,
    ...services.map(
      ({ service, data }) =>
        sh`printf 'member %s %s %s %s\n' ${data.member} ${service.name} "$(stat -c %s ${data.member})" "$(cut -d ' ' -f 1 ${`${data.member}.sha256`})"; cat ${`${data.member}.counts`}`,
    ),
  )
}

/** Reads what {@link describeMembers} printed. */
export function readMembers(printed: string): Manifest['members'] {
  const members: { file: string; service: string; size: number; sha256: string; counts: Record<string, number> }[] = []
  for (const row of printed.split('\n')) {
    const [first = '', second = '', service = '', size = '', sha256 = ''] = row.split(' ')
    if (first === 'member') members.push({ file: second, service, size: Number(size), sha256, counts: {} })
    else if (row !== '') Object.assign(members.at(-1)?.counts ?? {}, countOf(row))
  }
  return members
}

// A table's name may hold spaces; the number is the last word.
function countOf(row: string): Record<string, number> {
  const at = row.lastIndexOf(' ')
  return { [row.slice(0, at)]: Number(row.slice(at + 1)) }
}

/** Takes the manifest from stdin and puts the bundle to stdout, then removes what it was made of. */
export function streamBundle(place: Place, id: string, services: readonly DataService[]): Sh {
  const folder = bundleFolder(place, id)
  const members = services.map(({ data }) => data.member)
  return sh`
    set -e
    cd ${folder}
    umask 077
    cat >manifest.json
    sha256sum manifest.json >${seal}
    tar --owner=0 --group=0 -cf - manifest.json ${members} ${seal}
    cd /
    rm -rf ${folder}
  `
}

/** What must be so before a bundle is sent: it lies on the node as a whole, and once more as the data that are loaded from it. */
export function roomFor({ home }: Place, { members }: Manifest): readonly Step[] {
  const megabytes = Math.ceil((bundleSize(members) * packed) / 1024 ** 2) + 100
  return [
    {
      title: 'Room for the bundle and a copy of the data',
      quiet: true,
      // Databases keep theirs below /var/lib.
      check: sh`
        for path in ${home} /var/lib; do
          test "$(df --output=avail -m "$path" | tail -n 1)" -ge ${megabytes}
        done
      `,
      apply: sh`
        df -h ${home} /var/lib
        echo ${`A load of this bundle wants ${megabytes} MB free on ${home} and on /var/lib`}
        exit 1
      `,
    },
  ]
}

/** The command line that takes a bundle from stdin into its folder. */
export function receiveBundle(place: Place, id: string): Sh {
  const folder = bundleFolder(place, id)
  return sh`set -e; umask 077; rm -rf ${folder}; mkdir -p ${folder}; tar -x --no-same-owner -C ${folder} -f -`
}

/** Proves the bundle on the node once more, then loads each member beside the live data and compares its counts. */
export function loadBeside(place: Place, id: string, services: readonly DataService[], manifest: Manifest): readonly Step[] {
  const folder = bundleFolder(place, id)
  return [
    {
      title: 'Prove the bundle on the node',
      quiet: true,
      files: { sums: manifest.members.map(({ sha256, file }) => `${sha256}  ${file}\n`).join('') },
      apply: sh`cd ${folder}; sha256sum -c --quiet "$KRAFT_STEP/sums"`,
    },
    ...services.map(({ service, data }): Step => {
      const counts = manifest.members.find((member) => member.service === service.name)?.counts ?? {}
      return {
        title: `Load ${service.name} beside the live data`,
        quiet: true,
        files: {
          load: `${data.beside(place).text}\n`,
          count: `${data.countBeside(place).text}\n`,
          expected: Object.entries(counts)
            .map(([name, number]) => `${name} ${number}\n`)
            .join(''),
        },
        apply: sh`
          KRAFT_IN=${`${folder}/${data.member}`} sh -e "$KRAFT_STEP/load"
          sh -e "$KRAFT_STEP/count" | LC_ALL=C sort >"$KRAFT_STEP/found"
          if ! LC_ALL=C sort "$KRAFT_STEP/expected" | diff - "$KRAFT_STEP/found"; then
            echo 'What was loaded is not what the manifest says'
            exit 1
          fi
        `,
      }
    }),
  ]
}

/** Swaps all services in one script; if one fails, those before it go back. */
export function swapIn(place: Place, services: readonly DataService[]): readonly Step[] {
  const names = services.map((_, index) => String(index))
  const files = Object.fromEntries(
    services.flatMap(({ data }, index) => [
      [`swap${index}`, `${data.swap(place).text}\n`],
      [`undo${index}`, `${data.undo(place).text}\n`],
    ]),
  )
  return [
    {
      title: 'Swap the data',
      files,
      apply: sh`
        done=
        for each in ${names}; do
          done="$each $done"
          if sh -e "$KRAFT_STEP/swap$each"; then continue; fi
          echo 'The swap failed; the data that was live is put back'
          for back in $done; do sh -e "$KRAFT_STEP/undo$back" || echo "putting $back back failed"; done
          exit 1
        done
      `,
    },
  ]
}

/** Removes what a load left beside the live data, and the bundle on the node. */
export function discard(place: Place, id: string, services: readonly DataService[]): readonly Step[] {
  return [
    {
      title: 'Remove what was loaded beside',
      quiet: true,
      apply: lines(sh`rm -rf ${bundleFolder(place, id)}`, ...services.map(({ data }) => sh`sh -ec ${data.discard(place).text}`)),
    },
  ]
}
