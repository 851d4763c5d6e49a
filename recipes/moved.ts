import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { absent, directory, file } from './file.js'
import { nginxFile, reloadNginx } from './nginx.js'

/** How a node that an instance leaves passes requests on. */
export interface PassedOn {
  readonly domain: string | undefined
  /** The node that it moves to. */
  readonly address: string
  readonly tls: boolean
  /** Seconds that a request may take. */
  readonly timeout: number
  readonly staticUrl: string
}

/** A node that stays, and has requests wait while its data go elsewhere. */
export function holdingOnly(place: Place, { timeout, staticUrl }: Pick<PassedOn, 'timeout' | 'staticUrl'>): readonly Step[] {
  const content = render('nginx/moved.conf', { place, layout, address: undefined, timeout, files: filesOf(staticUrl) })
  return [
    ...directory({ path: layout.move(place), mode: '0700' }),
    ...nginxFile({ path: `${layout.move(place)}/to.conf`, content }),
  ]
}

/** What is served from files, and needs no application. */
const filesOf = (staticUrl: string) => [staticUrl.replaceAll('.', '\\.'), '/uploads/']

const trustedBy = (place: Place) => `${layout.move(place)}/trusted.pem`
const trustEach = `BEGIN { trust = "openssl x509 -addtrust serverAuth -trustout" }
  /^-----BEGIN/ { within = 1 }
  within { print | trust }
  /^-----END/ { within = 0; close(trust) }`

/** What nginx on the node that is left knows of the other one. Nothing is passed on, or held, until a file says so. */
export function passingOn(place: Place, { address, domain, tls, timeout, staticUrl }: PassedOn): readonly Step[] {
  const content = render('nginx/moved.conf', {
    place,
    layout,
    address,
    domain,
    timeout,
    scheme: tls ? 'https' : 'http',
    // Without a domain the application is asked by its node's address.
    host: domain === undefined ? address : '$host',
    files: filesOf(staticUrl),
  })
  const trusted = trustedBy(place)
  const chain = sh`$(sed -n 's/^ssl_certificate \(.*\);$/\1/p' ${`${layout.https(place)}/on.conf`})`
  return [
    ...directory({ path: layout.move(place), mode: '0700' }),
    ...(tls
      ? [
          {
            title: 'Who proves the other node',
            // Whom everybody trusts, and this site's own certificate, which that node has as well. What an ACME server gives has no root in it,
            // and whoever has signed it ends the chain for OpenSSL only where it is called trusted.
            apply: sh`
              cat /etc/ssl/certs/ca-certificates.crt >${trusted}
              awk ${trustEach} ${chain} >>${trusted}
            `,
          },
        ]
      : []),
    ...nginxFile({ path: `${layout.move(place)}/to.conf`, content }),
  ]
}

/** The node that is moved to believes the one before it who the visitor is. */
export function passedOnBy(place: Place, node: string, address: string): readonly Step[] {
  return [
    ...directory({ path: layout.move(place), mode: '0700' }),
    ...file({ path: `${layout.move(place)}/from`, content: `${node}\n`, mode: '0600' }),
    ...nginxFile({
      path: `${layout.move(place)}/from.conf`,
      content: `set_real_ip_from ${address};\nreal_ip_header X-Forwarded-For;\n`,
    }),
  ]
}

/** Nobody is believed any more, because the node that it has moved from is not needed. */
export function passedOnByNobody(place: Place): readonly Step[] {
  const file = `${layout.move(place)}/from`
  return [...absent(`${file}.conf`, { notify: [reloadNginx] }), ...absent(file)]
}

/** Prints the node that the instance has moved from, where that is still to be gone. */
export const movedFrom = (place: Place) => sh`cat ${`${layout.move(place)}/from`} 2>/dev/null || :`

/** Fails where site and cron scripts are older than moves are, or a template of the user's own. */
export function movable(place: Place): readonly Step[] {
  const site = `/etc/nginx/sites-enabled/${place.name}.conf`
  return [
    {
      title: 'nginx asks whether the site has moved',
      check: sh`grep -qsF ${`${layout.move(place)}/`} ${site}`,
      apply: sh`
        printf '%s does not ask for %s\n' ${site} ${layout.move(place)}
        echo 'Deploy once; if the project has a template nginx/site.conf of its own, it needs the line that includes nginx/closed.conf'
        exit 1
      `,
    },
  ]
}

/** Sees from one node whether the other one answers for a site. */
export function reaches(place: Place, { address, domain, tls }: PassedOn, path: string): readonly Step[] {
  const host = domain ?? address
  const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}${path}`
  const to = address.includes(':') ? `[${address}]` : address
  const trust = tls ? sh`--cacert ${trustedBy(place)}` : sh``
  return [
    {
      title: 'Requests can be passed on',
      quiet: true,
      apply: sh`
        for try in $(seq 20); do
          if said=$(curl --silent --show-error --output /dev/null --max-time 10 --noproxy '*' ${trust} --connect-to ${`::${to}:`} --write-out 'code %{http_code}' ${url} 2>&1); then exit 0; fi
          sleep 0.2
        done
        printf 'This node gets no answer from the other one at %s, to which it would pass on what visitors ask: %s\n' ${address} "$said"
        exit 1
      `,
    },
    ...(tls ? believes(place, host, to) : []),
  ]
}

// As nginx looks at a certificate, which wants all of its chain: curl is content with a part.
function believes(place: Place, host: string, to: string): readonly Step[] {
  const folder = '/usr/local/share/ca-certificates'
  return [
    {
      title: "The other node's certificate is believed",
      quiet: true,
      apply: sh`
        if said=$(timeout 10 openssl s_client -connect ${`${to}:443`} -servername ${host} -verify_hostname ${host} -verify_return_error -CAfile ${trustedBy(place)} </dev/null 2>&1); then exit 0; fi
        why=$(printf '%s\n' "$said" | sed -n 's/^verify error:num=[0-9]*://p' | head -n 1)
        printf 'nginx on this node would not believe the certificate by which the other one is %s: %s\n' ${host} "\${why:-it can not be seen}"
        printf 'Put the certificate of who has signed it into %s on this node, as NAME.crt, call update-ca-certificates there, and move it again\n' ${folder}
        exit 1
      `,
    },
  ]
}

const before = (place: Place) => `${layout.moved(place)}.before`

/** From now on the node answers by itself; {@link passOnAgain} takes that back. */
export function welcome(place: Place): readonly Step[] {
  return [
    {
      title: 'Answer by itself',
      quiet: true,
      apply: sh`
        if [ -e ${layout.moved(place)} ]; then mv -f ${layout.moved(place)} ${before(place)}; fi
      `,
    },
  ]
}

/** It did not come to the switch: a node that passed on until then does so again. */
export function passOnAgain(place: Place): readonly Step[] {
  return [
    {
      title: 'Pass on as before',
      check: sh`test ! -e ${before(place)}`,
      apply: sh`mv -f ${before(place)} ${layout.moved(place)}`,
    },
  ]
}

/** It has switched, and nothing is to be taken back. */
export function arrived(place: Place): readonly Step[] {
  return [{ title: 'It stays', quiet: true, apply: sh`rm -f ${before(place)}` }]
}
