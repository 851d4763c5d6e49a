import { isSecret, reveal } from '../engine/shell/secret.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory, file } from './file.js'
import { environmentFile } from './release.js'

type Settings = Readonly<Record<string, unknown>>

/** The certificate to believe on the node: one of the provider's own, or that of the node which serves; undefined for Debian's. */
export function authorityFile(place: Place, service: string, settings: Settings): string | undefined {
  return pem(settings) === undefined ? undefined : `${layout.service(place, service)}/authority.crt`
}

const pem = ({ authority }: Settings) => (typeof authority === 'string' ? `${authority.trim()}\n` : undefined)

/** The address of a server as text; undefined in a dry run, which does not know it. */
export function addressOf({ url }: Settings): string | undefined {
  const text = isSecret(url) ? reveal(url) : String(url)
  return URL.canParse(text) ? text : undefined
}

/** Root's file with the variables by which a server elsewhere is reached, and the certificate that it is believed by. */
export function accessFiles(
  place: Place,
  service: string,
  settings: Settings,
  variables: Readonly<Record<string, string>>,
): readonly Step[] {
  const authority = authorityFile(place, service, settings)
  const own = (path: string) => [
    ...directory({ path: layout.service(place, service), group: place.name, mode: '0750' }),
    ...file({ path, content: pem(settings) ?? '', group: place.name, mode: '0640' }),
  ]
  return [
    ...(authority === undefined ? [] : own(authority)),
    ...file({ path: layout.access(place, service), content: environmentFile(variables), mode: '0600' }),
  ]
}

/** Gives root's shell those variables; what it then runs as the instance's user has them in its environment, never as arguments. */
export function withAccess(place: Place, service: string): Sh {
  return sh`
    set -a
    . ${layout.access(place, service)}
    HOME=${layout.userHome(place)}
    set +a
  `
}

/** Sees whether a server elsewhere can be used: `ask` fails and says why where it can't, `at` names it for people. */
export function answers(place: Place, service: string, { client, ask, at }: { client: Sh; ask: Sh; at: Sh }): Step {
  return {
    title: `The ${service} of ${place.name} answers`,
    quiet: true,
    check: lines(sh`test -e ${layout.access(place, service)}`, client, sh`said=$(${ask} 2>&1)`),
    apply: lines(
      client,
      sh`
      if ! said=$(${ask} 2>&1); then
        printf '%s at %s can not be used from this node:\n%s\n' ${service} ${at} "$said"
        exit 1
      fi
    `,
    ),
  }
}
