import { lines, sh } from '../engine/shell/sh.js'
import type { Manifest } from '../project/manifest.js'
import type { Place } from '../project/service.js'
import { type DataService, followMember, memberPath, untilArrived } from './bundle.js'
import { type Job, type Jobs, jobs } from './jobs.js'
import { sha256Of } from './sha256.js'

type Member = Manifest['members'][number]

/** The bundle that is loaded. */
export interface Loading {
  /** Its folder. */
  readonly id: string
  readonly manifest: Manifest
  /** It is on its way: each member is loaded when it has come. */
  readonly arrives?: boolean
  /** Nobody wants it afterwards: what was loaded need not be written to the disk once more. */
  readonly goes?: boolean
}

/**
 * Loads each member beside the live data, all of them at once, and compares its counts. Before it is loaded it is proven on the node once
 * more.
 */
export function loadBeside(place: Place, services: readonly DataService[], loading: Loading): Jobs {
  const { id, manifest } = loading
  const { begin, wait } = jobs(
    place,
    'Begin with all services',
    services.map((service) => loadOne(place, service, loading)),
  )
  const others = manifest.members.filter((member) => !services.some(({ service }) => service.name === member.service))
  const prove = others.map((member) => ({
    title: `Prove ${member.file}, which is not loaded`,
    quiet: true,
    apply: proven(place, id, member),
  }))
  return { begin, wait: [...wait, ...prove] }
}

function loadOne(place: Place, { service, data }: DataService, { id, manifest, arrives = false, goes }: Loading): Job {
  const member = manifest.members.find((each) => each.service === service.name)
  if (member === undefined) throw new Error(`The bundle of ${manifest.instance} holds no ${service.name}`)
  const expected = Object.entries(member.counts).map(([name, number]) => `${name} ${number}\n`)
  const { makeBeside } = data
  return {
    title: `Load ${service.name} beside the live data`,
    files: {
      ...(makeBeside === undefined ? {} : { make: `${makeBeside(place).text}\n` }),
      load: `${data.beside(place).text}\n`,
      count: `${data.countBeside(place).text}\n`,
      expected: expected.join(''),
    },
    run: lines(
      makeBeside === undefined ? undefined : sh`sh -e "\${KRAFT_JOB}make"`,
      arrives && data.readsOnce === true ? loadFollowed(place, id, member) : loadWhole(place, id, member, arrives),
      goes === true ? sh`rm -f ${memberPath(place, id, member)}` : undefined,
      sh`
        # The swap waits until all of it is on the disk.
        sync &
        sh -e "\${KRAFT_JOB}count" | LC_ALL=C sort >"\${KRAFT_JOB}found"
        if ! LC_ALL=C sort "\${KRAFT_JOB}expected" | diff - "\${KRAFT_JOB}found"; then
          echo 'What was loaded is not what the manifest says'
          exit 1
        fi
      `,
    ),
  }
}

const load = sh`sh -e "\${KRAFT_JOB}load"`

const loadWhole = (place: Place, id: string, member: Member, arrives: boolean) => {
  return lines(
    arrives ? untilArrived(place, id, member) : undefined,
    proven(place, id, member),
    sh`KRAFT_IN=${memberPath(place, id, member)} ${load}`,
  )
}

const loadFollowed = (place: Place, id: string, member: Member) => sh`
  { ${followMember(place, id, member)} || : >"\${KRAFT_JOB}unproven"; } | KRAFT_IN=/dev/stdin ${load}
  if [ -e "\${KRAFT_JOB}unproven" ]; then
    ${notAsAnnounced(member)}
  fi
`

const proven = (place: Place, id: string, member: Member) => sh`
  if [ "$(${sha256Of(memberPath(place, id, member))})" != ${member.sha256} ]; then
    ${notAsAnnounced(member)}
  fi
`

const notAsAnnounced = ({ file }: Member) => sh`
  printf '%s is not what the manifest says\n' ${file}
  exit 1
`
