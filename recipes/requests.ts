import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { noteEnd, trialFolder } from './trial.js'

const file = ({ name }: Place) => `/run/web/.trial/${name}.requests`
const log = (place: Place) => `${layout.log(place)}/nginx.access`

/** Notes where nginx's log of the instance ends, just before a switch. */
export function markRequests(place: Place): readonly Step[] {
  return [
    {
      title: 'Watch the requests from here on',
      quiet: true,
      apply: sh`
        ${trialFolder}
        ${noteEnd(log(place), `${file(place)}.from`)}
      `,
    },
  ]
}

/** Counts what visitors got since {@link markRequests}, from nginx's own log: `requests=12 failed=0 slowest=0.034`. */
export function countRequests(place: Place): readonly Step[] {
  return [
    {
      title: 'Requests during the switch',
      quiet: true,
      apply: sh`
        from=$(cat ${`${file(place)}.from`} 2>/dev/null || echo 0)
        rm -f ${`${file(place)}.from`}
        # The log may have been rotated meanwhile.
        if [ "$(stat -c %s ${log(place)} 2>/dev/null || echo 0)" -lt "$from" ]; then from=0; fi
        tail -c "+$((from + 1))" ${log(place)} 2>/dev/null | awk -F '"' '
          { split($3, answer, " "); split($NF, took, " ")
            requests++; if (answer[1] >= 500) failed++; if (took[1] > slowest) slowest = took[1] }
          END { printf "requests=%d failed=%d slowest=%.3f\n", requests, failed, slowest }' | tee ${file(place)}
      `,
    },
  ]
}

/** What {@link countRequests} printed. */
export interface Requests {
  readonly requests: number
  /** Answers of 500 and above. */
  readonly failed: number
  /** Seconds. */
  readonly slowest: number
}

/** Finds that among the lines that steps printed. */
export function readRequests(lines: readonly string[]): Requests | undefined {
  for (const line of lines) {
    const [, requests, failed, slowest] = /^requests=(\d+) failed=(\d+) slowest=([\d.]+)$/.exec(line) ?? []
    if (requests !== undefined) return { requests: Number(requests), failed: Number(failed), slowest: Number(slowest) }
  }
  return undefined
}
