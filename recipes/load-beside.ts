import { sh } from '../engine/shell/sh.js'
import type { Manifest } from '../project/manifest.js'
import type { Place } from '../project/service.js'
import { bundleFolder, type DataService, untilArrived } from './bundle.js'
import { type Job, type Jobs, jobs } from './jobs.js'
import { sha256Of } from './sha256.js'

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

function loadOne(place: Place, { service, data }: DataService, { id, manifest, arrives, goes }: Loading): Job {
  const member = manifest.members.find((each) => each.service === service.name)
  // Its name is that of the kraft that wrote it.
  const { file = data.member, counts = {} } = member ?? {}
  const path = `${bundleFolder(place, id)}/${file}`
  const expected = Object.entries(counts).map(([name, number]) => `${name} ${number}\n`)
  return {
    title: `Load ${service.name} beside the live data`,
    files: { load: `${data.beside(place).text}\n`, count: `${data.countBeside(place).text}\n`, expected: expected.join('') },
    run: sh`
      ${arrives && member !== undefined ? untilArrived(place, id, member) : sh`:`}
      ${member === undefined ? sh`:` : proven(place, id, member)}
      KRAFT_IN=${path}
      export KRAFT_IN
      sh -e "\${KRAFT_JOB}load"
      ${goes ? sh`rm -f ${path}` : sh`:`}
      sh -e "\${KRAFT_JOB}count" | LC_ALL=C sort >"\${KRAFT_JOB}found"
      if ! LC_ALL=C sort "\${KRAFT_JOB}expected" | diff - "\${KRAFT_JOB}found"; then
        echo 'What was loaded is not what the manifest says'
        exit 1
      fi
    `,
  }
}

const proven = (place: Place, id: string, { file, sha256 }: Manifest['members'][number]) => sh`
  if [ "$(${sha256Of(`${bundleFolder(place, id)}/${file}`)})" != ${sha256} ]; then
    printf '%s is not what the manifest says\n' ${file}
    exit 1
  fi
`
