import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import type { Https } from '../project/https.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { servesHttps } from './https.js'
import { nginxFile, nginxUser } from './nginx.js'
import { siteVariable } from './serving.js'

/** A web node as its balancer reaches it. */
export interface Backend {
  readonly name: string
  readonly address: string
}

/** What a balancer passes on, and to whom. */
export interface Balance {
  readonly domain: string
  readonly aliases: readonly string[]
  readonly backends: readonly Backend[]
  /** Bytes. */
  readonly maxBody: number
  /** Seconds that a request may take on a web node. */
  readonly timeout: number
  readonly ipv6: boolean
  /** TLS ends here: web nodes are spoken to over HTTP. */
  readonly https: Https | undefined
}

/**
 * nginx before the web nodes of an instance. Which of them are taken out is told by files, which nginx looks for at each request: it
 * is not reloaded for that, because a reload closes connections that visitors keep.
 */
export function balancer(place: Place, { backends, https, ...given }: Balance): readonly Step[] {
  const servers = (out?: Backend) =>
    backends.map(({ address, ...each }) => ({ ...each, ...at(address), backup: each.name === out?.name }))
  const one = (out: Backend) => ({
    pool: `${place.name}-without-${out.name}`,
    servers: servers(out),
    mark: layout.out(place, out.name),
  })
  const vars = {
    place,
    layout,
    ...given,
    log: balancerLog,
    own: siteVariable(place),
    // That is for the web nodes to say.
    noindex: false,
    https: https && { hsts: https.hsts, acme: https.from.kind === 'acme' },
    servers: servers(),
    without: backends.length < 2 ? [] : backends.map(one),
  }
  return [
    ...['access', 'error'].map((kind) => visitorsLog(balancerLog(place, kind))),
    ...nginxFile({ path: `/etc/nginx/sites-enabled/${place.name}.conf`, content: render('nginx/balancer.conf', vars) }),
  ]
}

/** Waits until the balancer has taken up its settings and passes on; asked as a visitor would. */
export function passesOn(place: Place, domain: string, path: string): readonly Step[] {
  return [
    {
      title: 'Visitors get answers',
      quiet: true,
      apply: sh`
        scheme=http
        if ${servesHttps(place)}; then scheme=https; fi
        for try in $(seq 50); do
          code=$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' --insecure --noproxy '*' --resolve ${`${domain}:80:127.0.0.1`} --resolve ${`${domain}:443:127.0.0.1`} "$scheme://"${`${domain}${path}`}) || :
          case $code in 000 | 502 | 504) sleep 0.1 ;; *) exit 0 ;; esac
        done
        printf 'The balancer gets no answer from its web nodes (code %s): can it reach port 80 of theirs?\n' "$code"
        exit 1
      `,
    },
  ]
}

/** Where nginx logs what a balancer passes on: `access` or `error`. */
export const balancerLog = ({ name }: Place, kind: string) => `/var/log/nginx/${name}.${kind}.log`

// nginx would make it readable for everybody; logrotate makes the next one as Debian has it, and so does this.
function visitorsLog(path: string): Step {
  return {
    title: `Log ${path}`,
    check: sh`test -e ${path}`,
    apply: sh`install -o ${nginxUser} -g adm -m 0640 /dev/null ${path}`,
  }
}

const at = (address: string) => ({ server: `${address.includes(':') ? `[${address}]` : address}:80` })

/** From here on the balancer sends nothing new to a web node, for two minutes at most: should kraft die, it comes back by itself. */
export function takeOut(place: Place, node: string): readonly Step[] {
  const mark = layout.out(place, node)
  return [
    {
      title: `${node} gets no new requests`,
      quiet: true,
      apply: sh`
        mkdir -p ${mark.slice(0, mark.lastIndexOf('/'))}
        : >${mark}
        systemd-run --quiet --collect --on-active=120 rm -f ${mark}
      `,
    },
  ]
}

/** The balancer sends requests to a web node again. */
export function putBack(place: Place, node: string): readonly Step[] {
  return [{ title: `${node} gets requests`, quiet: true, apply: sh`rm -f ${layout.out(place, node)}` }]
}
