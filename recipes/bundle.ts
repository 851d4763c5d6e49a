import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { drain } from '../engine/transfer/drain.js'
import { seal } from '../project/bundle.js'
import { layout } from '../project/layout.js'
import type { Manifest } from '../project/manifest.js'
import type { Place, Service, ServiceData } from '../project/service.js'
import { beginMoment, sameMoment } from './exchange.js'
import { freeze, thawed } from './freeze.js'
import { endJobs } from './jobs.js'
import { roomForDump } from './room.js'
import { sha256Of } from './sha256.js'

/** A service that has data. */
export interface DataService {
  readonly service: Service
  readonly data: ServiceData
}

/** The folder on the node where a bundle is put together or taken apart; root's alone. */
export function bundleFolder(place: Place, id: string): string {
  return `${layout.dumps(place)}/${id}`
}

/** A member in that folder. Its name is that of the kraft that wrote it. */
export const memberPath = (place: Place, id: string, { file }: Manifest['members'][number]): string =>
  `${bundleFolder(place, id)}/${file}`

/** Nobody who writes goes on meanwhile, and for at most so many seconds. */
export interface Frozen {
  readonly seconds: number
}

/**
 * Writes the data of each service to a file of its own, with its counts and its SHA-256 beside it. There must be room for so many
 * copies.
 */
export function dumpMembers(
  place: Place,
  id: string,
  services: readonly DataService[],
  frozen?: Frozen,
  copies = 1,
): readonly Step[] {
  const folder = bundleFolder(place, id)
  const sizes = services.flatMap(({ data }) => data.size?.(place) ?? [])
  const make: Step = {
    title: 'Room and a folder for the dump',
    quiet: true,
    files: Object.fromEntries(sizes.map((size, index) => [`size${index}`, `${size.text}\n`])),
    // Also what a kraft has left that was killed.
    apply: sh`
      umask 077
      find ${layout.dumps(place)} -mindepth 1 -maxdepth 1 -type d -name '2*-*' -mmin +1440 -exec rm -rf {} +
      rm -rf ${folder}
      ${roomForDump(layout.dumps(place), sizes.length, copies)}
      mkdir -p ${folder}
      ${beginMoment(place, folder)}
    `,
  }
  if (frozen !== undefined) {
    const files = Object.fromEntries(services.map(({ data }, index) => [`dump${index}`, `${data.dump(place).text}\n`]))
    const each = services.map(({ data }, index) => dumpOne(folder, data, `dump${index}`))
    const title = `Dump ${services.map(({ service }) => service.name).join(' and ')} while nothing writes`
    return [
      make,
      { title, quiet: true, loud: true, files, apply: lines(freeze(place, frozen.seconds), ...each, thawed(frozen.seconds)) },
    ]
  }
  return [
    make,
    ...services.map(({ service, data }) => ({
      title: `Dump ${service.name}`,
      quiet: true,
      loud: true,
      files: { dump: `${data.dump(place).text}\n` },
      apply: dumpOne(folder, data, 'dump'),
    })),
  ]
}

const dumpOne = (folder: string, { member }: ServiceData, script: string): Sh => sh`
  umask 077
  code=0
  KRAFT_OUT=${`${folder}/${member}`} sh -e "$KRAFT_STEP"/${script} >${`${folder}/${member}.counts`} || code=$?
  # Says more than what failed because of it.
  ${sameMoment(folder)}
  if [ "$code" != 0 ]; then exit "$code"; fi
  ${sha256Of(`${folder}/${member}`)} >${`${folder}/${member}.sha256`}
`

/** Removes what was dumped and not fetched. */
export function removeBundle(place: Place, id: string): readonly Step[] {
  const folder = bundleFolder(place, id)
  return [{ title: 'No dump is left', quiet: true, check: sh`test ! -e ${folder}`, apply: sh`rm -rf ${folder}` }]
}

/** Prints what {@link readMembers} reads: size, hash and counts of each member. */
export function describeMembers(place: Place, id: string, services: readonly DataService[]): Sh {
  const folder = bundleFolder(place, id)
  return lines(
    sh`set -e; cd ${folder}`,
    ...services.map(
      ({ service, data }) =>
        sh`printf 'member %s %s %s %s\n' ${data.member} ${service.name} "$(stat -c %s ${data.member})" "$(cat ${`${data.member}.sha256`})"; cat ${`${data.member}.counts`}`,
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

/** Takes the manifest from stdin and puts the bundle to stdout, then removes what it was made of, however far it got. */
export function streamBundle(place: Place, id: string, services: readonly DataService[]): Sh {
  const folder = bundleFolder(place, id)
  const members = services.map(({ data }) => data.member)
  return sh`
    set -e
    cd ${folder}
    # Also where whoever fetches it takes no more: a second copy of all data would stay on the disk.
    trap ${sh`cd /; rm -rf ${folder}`.text} EXIT
    umask 077
    cat >manifest.json
    sha256sum manifest.json >${seal}
    tar --owner=0 --group=0 -cf - manifest.json ${members} ${seal}
  `
}

// In the folder of a bundle, once all of it is there.
const whole = 'WHOLE'

/** The command line that takes a bundle from stdin into its folder. Only for whoever holds the instance's lock. */
export function receiveBundle(place: Place, id: string): Sh {
  const folder = bundleFolder(place, id)
  return sh`
    set -e
    umask 077
    # Also those of a kraft that was killed.
    rm -rf ${layout.dumps(place)}/load-*
    mkdir -p ${folder}
    tar -x --no-same-owner -C ${folder} -f -
    ${drain}
    : >${`${folder}/${whole}`}
  `
}

/** Shell that waits until a member of a bundle that is on its way is there. */
export function untilArrived(place: Place, id: string, member: Manifest['members'][number]): Sh {
  const wholeFile = `${bundleFolder(place, id)}/${whole}`
  return sh`
    until [ "$(stat -c %s ${memberPath(place, id, member)} 2>/dev/null)" = ${member.size} ] || [ -e ${wholeFile} ]; do sleep 0.05; done
  `
}

// Prints a file while it grows to its size, and fails unless its SHA-256 is the one that is given.
const follower = `import hashlib, os, sys, time
path, size, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3]
while not os.path.exists(path): time.sleep(0.02)
digest, left, out = hashlib.sha256(), size, 1
with open(path, 'rb', 0) as file:
    while left:
        piece = file.read(min(left, 1 << 20))
        if not piece:
            time.sleep(0.02)
            continue
        digest.update(piece)
        left -= len(piece)
        while piece and out:
            try: piece = piece[os.write(out, piece):]
            # Whoever reads has enough, or says itself what is wrong.
            except BrokenPipeError: out = 0
sys.exit(digest.hexdigest() != wanted)`

/** Shell that prints a member of a bundle that is on its way while it comes, and fails where it is not what the manifest says. */
export function followMember(place: Place, id: string, member: Manifest['members'][number]): Sh {
  return sh`/usr/bin/python3 -ISc ${follower} ${memberPath(place, id, member)} ${member.size} ${member.sha256}`
}

/** Removes what a load left beside the live data, and the bundle on the node; one that is to stay has no `id` here. */
export function discard(place: Place, id: string | undefined, services: readonly DataService[]): readonly Step[] {
  return [
    {
      title: 'Remove what was loaded beside',
      quiet: true,
      // Each of them, whatever becomes of the others.
      apply: lines(
        sh`code=0`,
        endJobs(place),
        id === undefined ? undefined : sh`rm -rf ${bundleFolder(place, id)}`,
        ...services.map(({ data }) => sh`sh -ec ${data.discard(place).text} || code=1`),
        sh`exit "$code"`,
      ),
    },
  ]
}
