import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { endService, runitService, stopService } from './runit.js'

/** A server that an instance has for itself. */
export interface OwnServer {
  /** The service's name. */
  readonly service: string
  /** The command line of the program, which stays in the foreground and opens {@link layout.serverSocket}. */
  readonly command: string
  /** Lines of its run script that come before the program, as root. */
  readonly before?: string
  /** What it reads when it starts: a change starts it anew. */
  readonly files?: readonly string[]
  /** Shell that succeeds once it answers. */
  readonly answers: Sh
}

/**
 * A server of an instance's own, which runit keeps running as the instance's user. A deploy that changes nothing of it leaves it
 * alone.
 *
 * @example ownServer(place, { service: 'redis', command: 'redis-server /web/shop/redis/redis.conf', answers: sh`…` })
 */
export function ownServer(place: Place, server: OwnServer): readonly Step[] {
  const { service, answers } = server
  const name = layout.server(place, service)
  const read = readBy(place, server)
  const started = layout.serverStarted(place, service)
  return [
    ...runitService({ name, run: serverRun(place, server) }),
    {
      title: `${service} runs as it is set`,
      check: sh`
        cat ${read} | sha256sum | cmp -s - ${started}
        sv status ${`/etc/service/${name}`} | grep -q '^run'
        ${answers}
      `,
      apply: lines(
        // One that runit has just taken over has begun already.
        sh`
          for try in $(seq 20); do
            if [ -e ${started} ]; then break; fi
            sleep 0.1
          done
          if ! cat ${read} | sha256sum | cmp -s - ${started}; then
            ${stopService(`/etc/service/${name}`, 60)}
          fi
        `,
        startServer(place, service, answers),
      ),
    },
  ]
}

const readBy = (place: Place, { service, files = [] }: OwnServer) => [`/etc/sv/${layout.server(place, service)}/run`, ...files]

/** Its run script. */
export function serverRun(place: Place, server: OwnServer): string {
  const { service, command, before } = server
  const log = `${layout.log(place)}/${service}`
  return String(render('services/run.sh', { place, layout, service, command, before, log, files: readBy(place, server) }))
}

/** Starts a server that was stopped, and waits until it answers. */
export function startServer(place: Place, service: string, answers: Sh) {
  const name = layout.server(place, service)
  return lines(sh`sv up ${`/etc/service/${name}`} >/dev/null`, untilAnswer(place, { service, name, answers }))
}

/** Waits until the server under the name of a runit service answers: one that has much to read takes its time. */
export function untilAnswer(place: Place, { service, name, answers }: Pick<OwnServer, 'service' | 'answers'> & { name: string }) {
  const folder = `/etc/service/${name}`
  return sh`
    first= begun=$(date +%s)
    until ${answers}; do
      pid=$(cat ${folder}/supervise/pid 2>/dev/null || :)
      # One that ended is started anew at once, as another process.
      if [ -n "$first" ] && [ -n "$pid" ] && [ "$pid" != "$first" ] || [ "$(($(date +%s) - begun))" -gt 300 ]; then
        printf '%s does not run. Its log:\n' ${service}
        tail -n 12 ${`${layout.log(place)}/${service}`}
        exit 1
      fi
      first=\${first:-$pid}
      sleep 0.1
    done
  `
}

/** Stops a server that runit runs, until {@link startServer}. */
export function stopServer(place: Place, service: string) {
  return stopService(`/etc/service/${layout.server(place, service)}`, 60)
}

/** Ends it for good. What it has written stays. */
export function noServer(place: Place, service: string): Step {
  const name = layout.server(place, service)
  return {
    title: `No ${service} of ${place.name}`,
    check: sh`test ! -e ${`/etc/sv/${name}`} && test ! -L ${`/etc/service/${name}`}`,
    apply: sh`
      service=${name}
      ${endService(60)}
    `,
  }
}
