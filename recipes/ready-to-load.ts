import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { Place } from '../project/service.js'
import type { DataService } from './bundle.js'

/** What else must be so before a bundle is sent: a service may have to be allowed to do what a load does. */
export function readyToLoad(place: Place, services: readonly DataService[]): readonly Step[] {
  return services.flatMap(({ service, data }) => {
    const ready = data.ready?.(place)
    if (ready === undefined) return []
    return [
      {
        title: `A load of ${service.name} can be done`,
        quiet: true,
        files: { ready: `${ready.text}\n` },
        check: sh`sh -e "$KRAFT_STEP/ready" >/dev/null`,
        apply: sh`
          sh -e "$KRAFT_STEP/ready"
        `,
        diff: sh`sh -e "$KRAFT_STEP/ready" || :`,
      },
    ]
  })
}
