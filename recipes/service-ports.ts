import { isIPv6 } from 'node:net'
import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { Place } from '../project/service.js'
import { firewallLoaded, firewallRules, loadFirewall, withoutFirewall } from './firewall.js'

const folder = '/etc/nftables.d/kraftwerk.services'
const path = ({ name }: Place, service: string) => `${folder}/${name}.${service}.nft`

/**
 * Lets these addresses, and no others, reach a port of a service. Where kraft made no firewall there is nothing to open.
 *
 * @example servicePort(place, 'postgres', 5432, ['10.0.0.2', '10.0.0.3'])
 */
export function servicePort(place: Place, service: string, port: number, clients: readonly string[]): readonly Step[] {
  const rule = (family: string, addresses: readonly string[]) =>
    addresses.length === 0 ? '' : `${family} saddr { ${addresses.join(', ')} } tcp dport ${port} accept\n`
  const rules =
    rule(
      'ip',
      clients.filter((each) => !isIPv6(each)),
    ) + rule('ip6', clients.filter(isIPv6))
  const file = path(place, service)
  return [
    {
      title: `Firewall: port ${port} is open to ${clients.join(', ')}`,
      files: { rules },
      check: lines(withoutFirewall, sh`cmp -s "$KRAFT_STEP/rules" ${file} && ${firewallLoaded}`),
      apply: lines(
        sh`
        if ! grep -q ${folder} ${firewallRules}; then
          echo 'The firewall of this node was made by an older kraft: kraft bootstrap:NODE once more lets services in'
          exit 1
        fi
        install -d -m 0755 ${folder}
        cat "$KRAFT_STEP/rules" >${`${file}.new`}
        mv -fT ${`${file}.new`} ${file}
      `,
        loadFirewall,
      ),
      diff: sh`diff -u ${file} "$KRAFT_STEP/rules" || :`,
    },
  ]
}

/** Closes it again. */
export function noServicePort(place: Place, service: string): Step {
  const file = path(place, service)
  return {
    title: `Firewall: closed to whom ${service} of ${place.name} was open`,
    check: sh`test ! -e ${file}`,
    apply: lines(sh`rm -f ${file}`, loadFirewall),
  }
}
