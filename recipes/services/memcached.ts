import * as v from 'valibot'
import { sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { size } from '../../project/size-schema.js'
import { apt } from '../apt.js'
import { asInstance } from '../as-instance.js'
import { relayTo } from '../door.js'
import { noServer, ownServer } from '../own-server.js'
import { stockOff } from '../stock-off.js'

const name = 'memcached'
const megabyte = 1024 ** 2
const socket = (place: Place) => layout.serverSocket(place, name)

/** A memcached of the instance's own, on a socket that no other user can reach. */
export const service = defineService({
  name,
  doc: "memcached: a server of the instance's own on a socket, which keeps nothing",
  section: {
    memory: {
      schema: v.optional(v.pipe(size, v.minValue(8 * megabyte, 'at least 8 MB')), '64 MB'),
      doc: 'Memory for what it holds; when that is full, what was not asked for longest goes',
      example: '256 MB',
    },
  },
  install: () => [...stockOff(name, 'memcached.service'), ...apt('memcached')],
  setup: (place, { memory }) =>
    ownServer(place, {
      service: name,
      command: `memcached -s ${socket(place)} -a 0700 -m ${Math.floor(Number(memory) / megabyte)}`,
      answers: sh`ss -Hxl src ${`unix:${socket(place)}`} | grep -q .`,
    }),
  environ: (place) => ({ MEMCACHED_LOCATION: `unix:${socket(place)}`, MEMCACHED_SOCKET: socket(place) }),
  door: (place) => ({
    at: socket(place),
    url: (port) => `memcached://127.0.0.1:${port}`,
    environ: (port) => ({ MEMCACHED_LOCATION: `127.0.0.1:${port}` }),
  }),
  here: () => [
    { what: 'what answers at port 11211 of this machine', at: 11211, environ: { MEMCACHED_LOCATION: '127.0.0.1:11211' } },
  ],
  facts: (place) => sh`
    printf 'stats\r\nquit\r\n' | ${asInstance(place, ...relayTo(socket(place)))} | tr -d '\r' | awk '
      $2 == "version" { print $2, $3; found = 1 }
      $2 == "bytes" { print "size", $3 }
      $2 == "curr_connections" { print "connections", $3 - 1 }
      $2 == "curr_items" { print "items", $3 }
      END { exit !found }'
  `,
  destroy: (place) => [noServer(place, name)],
})
