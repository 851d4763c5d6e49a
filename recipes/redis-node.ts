import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place, ServiceServer } from '../project/service.js'
import { directory } from './file.js'
import { isCertificateOf, letIn, makeCertificate, makePassword, printAccess, readAccess } from './serve-others.js'
import { noServicePort, servicePort } from './service-ports.js'

const name = 'redis'
const folder = (place: Place) => layout.service(place, name)
const key = (place: Place) => `${folder(place)}/server.key`

/** What its server is told of the network, while it serves other nodes. */
export const redisNetwork = (place: Place) => `${folder(place)}/network.conf`

/** By what it proves who it is. */
export const redisCertificate = (place: Place) => `${folder(place)}/server.crt`

/** The instance's own redis for other nodes: over TLS, with a password, from their addresses alone, on a port of its own. */
export const redisServer: ServiceServer = {
  prepare: (place, { port }, { address }) => [
    ...[place.home, layout.log(place), folder(place)].flatMap((path) => directory({ path, group: place.name, mode: '0750' })),
    portOfItsOwn(place, Number(port)),
    certificate(place, address),
    network(place, Number(port)),
  ],
  setup: (place, { port }, { clients }) => [
    letIn(place, name, clients, { title: `${place.name} of ${clients.join(', ')} may come to redis`, apply: sh`umask 077` }),
    ...servicePort(place, name, Number(port), clients),
  ],
  access: (place) => printAccess(place, name, sh`${redisCertificate(place)}`),
  read: (printed, _place, address, { port }) =>
    readAccess(printed, 'REDIS_URL', address, `rediss://:PASSWORD@HOST:${Number(port)}/0`),
}

/** Nobody comes from other nodes any more. */
export function noRedisServer(place: Place): readonly Step[] {
  const files = [layout.clients(place, name), layout.password(place, name)]
  return [
    {
      title: `No other node reaches the redis of ${place.name}`,
      check: sh`for each in ${files}; do test ! -e "$each"; done`,
      apply: sh`rm -f ${files}`,
    },
    noServicePort(place, name),
  ]
}

function portOfItsOwn(place: Place, port: number): Step {
  return {
    title: `Port ${port} is free for the redis of ${place.name}`,
    quiet: true,
    check: sh`
      for each in /web/*/redis/network.conf; do
        if [ -e "$each" ] && [ "$each" != ${redisNetwork(place)} ] && grep -qx ${`tls-port ${port}`} "$each"; then exit 1; fi
      done
    `,
    apply: sh`
      echo ${`Port ${port} of this node is another project's: give this one another, for example: redis: { port: ${port + 1} }`}
      exit 1
    `,
  }
}

function certificate(place: Place, address: string): Step {
  const file = sh`${redisCertificate(place)}`
  return {
    title: `redis of ${place.name} proves that it is ${address}`,
    check: isCertificateOf(address, file),
    apply: makeCertificate(address, { key: sh`${key(place)}`, file, owner: place.name }),
  }
}

function network(place: Place, port: number): Step {
  const path = redisNetwork(place)
  const content = `# Written by kraft while other nodes are served: on every address, which the firewall then chooses, and over TLS alone.
bind * -::*
tls-port ${port}
tls-cert-file ${redisCertificate(place)}
tls-key-file ${key(place)}
tls-ca-cert-file ${redisCertificate(place)}
tls-auth-clients no
# Those of the application, and as many for what a load puts beside them and for what was there before.
databases 48
`
  // Its hash alone, so that nobody who may read the file can come.
  const make = sh`
    written() {
      cat "$KRAFT_STEP/network"
      printf 'user default on #%s ~* &* +@all\n' "$(printf %s "$(cat ${layout.password(place, name)})" | sha256sum | cut -d ' ' -f 1)"
    }
  `
  return {
    title: `The redis of ${place.name} takes other nodes on port ${port}`,
    files: { network: content },
    check: lines(make, sh`test -s ${layout.password(place, name)} && written | cmp -s - ${path}`),
    apply: lines(
      makePassword(place, name),
      make,
      sh`
      written >${`${path}.new`}
      chown ${place.name}: ${`${path}.new`}
      mv -fT ${`${path}.new`} ${path}
    `,
    ),
    diff: sh`cat "$KRAFT_STEP/network"`,
  }
}
