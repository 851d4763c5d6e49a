import * as v from 'valibot'
import { lines, sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { redisUrlProblem } from '../../project/redis-url.js'
import { defineService, type Place } from '../../project/service.js'
import { size } from '../../project/size-schema.js'
import { asInstance } from '../as-instance.js'
import { elsewhereSection } from '../elsewhere-section.js'
import { absent, directory } from '../file.js'
import { noServer, type OwnServer, ownServer } from '../own-server.js'
import { redis } from '../redis.js'
import {
  askBeside,
  endBeside,
  exchangeable,
  noBeside,
  notedOfBeside,
  noteOfBeside,
  serveFrom,
  startBeside,
} from '../redis-beside.js'
import { redisElsewhere } from '../redis-elsewhere.js'
import { noRedisServer, redisCertificate, redisNetwork } from '../redis-node.js'
import { checkSnapshot, fits, needed, redisMember, secondServer } from '../redis-snapshot.js'
import { template } from '../template.js'

const name = 'redis'
const evictions = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const

const folder = (place: Place) => layout.service(place, name)
const data = (place: Place) => `${folder(place)}/data`
const beside = (place: Place) => `${folder(place)}/beside`
const keys = (place: Place) => `${beside(place)}/keys`
const former = (place: Place) => `${folder(place)}/former`
const config = (place: Place) => `${folder(place)}/redis.conf`
const limits = (place: Place) => `${folder(place)}/memory.conf`
const socket = (place: Place) => layout.serverSocket(place, name)
// As the instance's user, because that user could put another's socket in its place. Who serves other nodes wants a password here too.
const cli = (place: Place) => sh`
  if [ -e ${redisNetwork(place)} ]; then REDISCLI_AUTH=$(cat ${layout.password(place, name)}); export REDISCLI_AUTH; fi
  ${asInstance(place, 'redis-cli', '-s', socket(place))}`
const client = (place: Place) => sh`cli() { ${cli(place)} "$@"; }`
const answers = (place: Place) => sh`[ "$(${cli(place)} ping 2>&1)" = PONG ]`

const overTcp = (port: number) => `redis://127.0.0.1:${port}/0`

const second = (place: Place) => secondServer(place, beside(place))
const server = (place: Place, files: readonly string[] = []): OwnServer => ({
  ...exchangeable(place, data(place), config(place)),
  files: [config(place), ...files],
  answers: answers(place),
})
const serve = (place: Place) => serveFrom(place, { data: data(place), limits: limits(place), answers: answers(place) })

/** A redis of the instance's own: on a socket that no other user can reach, with an append-only file. */
export const service = defineService({
  name,
  doc: "redis: a server of the instance's own on a socket, whose data outlives reboots",
  section: {
    memory: {
      schema: v.optional(v.pipe(size, v.minValue(1024 ** 2, 'at least 1 MB')), '256 MB'),
      doc: 'Most that its data may take',
      example: '1 GB',
    },
    eviction: {
      schema: v.optional(v.picklist(evictions), 'noeviction'),
      doc: 'What goes when that is full; with noeviction nothing does, and writes fail',
      example: 'allkeys-lru',
    },
    ...elsewhereSection('redis', redisUrlProblem),
    port: {
      schema: v.optional(
        v.pipe(v.number(), v.integer('a whole number'), v.minValue(1024, 'at least 1024'), v.maxValue(65_535, 'at most 65535')),
        6379,
      ),
      doc: 'On the node with the role db: its port there, where each project has one of its own',
      example: 6380,
    },
    spare: {
      schema: v.optional(
        v.pipe(
          v.array(v.pipe(v.number(), v.integer('whole numbers'), v.minValue(0, 'at least 0'))),
          v.check(
            ([first, second, ...more]) => first !== second && second !== undefined && more.length === 0,
            'two different numbers',
          ),
        ),
        [14, 15],
      ),
      doc: 'With url: two databases of that server which nobody else uses, for loads',
      example: [14, 15],
    },
  },
  elsewhere: redisElsewhere,
  install: () => redis(),
  setup: (place, { memory, eviction, node }) => {
    const network = node === undefined ? undefined : redisNetwork(place)
    const own = { group: place.name, mode: '0640' }
    return [
      ...directory({ path: folder(place), group: place.name, mode: '0750' }),
      ...directory({ path: data(place), owner: place.name, group: place.name, mode: '0700' }),
      ...template('services/redis.memory.conf', { to: limits(place), ...own, vars: { memory, eviction } }),
      ...template('services/redis.conf', {
        to: config(place),
        ...own,
        vars: { place, socket: socket(place), data: data(place), memory: limits(place), network },
      }),
      ...(network === undefined ? absent(redisNetwork(place)) : []),
      noBeside(place),
      ...ownServer(place, server(place, network === undefined ? [] : [network, redisCertificate(place)])),
      {
        title: 'redis has its memory',
        check: lines(
          client(place),
          sh`
          [ "$(cli config get maxmemory | tail -n 1)" = ${String(memory)} ]
          [ "$(cli config get maxmemory-policy | tail -n 1)" = ${String(eviction)} ]
        `,
        ),
        // It need not end for that.
        apply: lines(
          client(place),
          sh`
          cli config set maxmemory ${String(memory)} | grep -x OK
          cli config set maxmemory-policy ${String(eviction)} | grep -x OK
        `,
        ),
      },
    ]
  },
  environ: (place) => ({ REDIS_URL: `unix://${socket(place)}`, REDIS_SOCKET: socket(place) }),
  data: {
    member: redisMember,
    // The server's own snapshot. How many keys each of its databases has stands in it right behind the database's number
    // (a byte of 251, and a number of redis' own kind), so that memory need not hold all of it a second time.
    dump: (place) =>
      lines(
        sh`
      # It tells of each step.
      if ! ${asInstance(place, 'redis-cli', '-s', socket(place), '--rdb', '-')} >"$KRAFT_OUT" 2>"$KRAFT_OUT.said"; then
        cat "$KRAFT_OUT.said" >&2
        exit 1
      fi
      rm -f "$KRAFT_OUT.said"
      if ! said=$(${checkSnapshot(place, sh`"$KRAFT_OUT"`)}); then printf '%s\n' "$said"; exit 1; fi
      printf '%s\n' "$said" | sed -n 's/^\[offset \([0-9]*\)\] Selecting DB ID \([0-9]*\)$/\1 \2/p' | while read -r at database; do
        od -An -v -t u1 -j "$at" -N 6 "$KRAFT_OUT" | awk -v name="keys.db$database" '
          $1 != 251 { exit 1 }
          { print name, $2 < 64 ? $2 : $2 < 128 ? ($2 - 64) * 256 + $3 : (($3 * 256 + $4) * 256 + $5) * 256 + $6 }'
      done
    `,
      ),
    // What it holds in memory is packed more loosely.
    size: (place) => lines(client(place), sh`cli info memory | tr -d '\r' | sed -n 's/^used_memory://p'`),
    count: (place) =>
      lines(client(place), sh`cli info keyspace | tr -d '\r' | sed -n 's/^db\([0-9]*\):keys=\([0-9]*\).*/keys.db\1 \2/p'`),
    // The append-only file can only be made of what a server has loaded while it kept none. Another one then reads that file as the live one
    // would, and goes on until the swap: so that is nothing but a change of names, however much there is to read.
    beside: (place) =>
      lines(
        sh`
        if [ -e ${redisNetwork(place)} ]; then echo 'Its redis still serves other nodes. Deploy first'; exit 1; fi
        ${endBeside(place)}
      `,
        sh`(`,
        second(place),
        sh`
        rm -rf --one-file-system ${beside(place)}
        ${fits(place, sh`"$KRAFT_IN"`)}
        install -d -o ${place.name} -g ${place.name} -m 0700 ${beside(place)}
        ${asInstance(place, 'sh', '-c', 'umask 077; cat >"$0"', `${beside(place)}/dump.rdb`)} <"$KRAFT_IN"
        start --appendonly no
        other config set appendonly yes | grep -qx OK
        until other info persistence | tr -d '\r' >"$log.info" && grep -qx aof_rewrite_in_progress:0 "$log.info" &&
          grep -qx aof_rewrite_scheduled:0 "$log.info"; do sleep 0.1; done
        code=0
        grep -qx aof_last_bgrewrite_status:ok "$log.info" || code=1
        rm -f "$log.info"
        if [ "$code" != 0 ]; then tail -n 5 "$log"; exit 1; fi
        other info keyspace | ${asInstance(place, 'sh', '-c', 'cat >"$0"', keys(place))}
        ${asInstance(place, 'rm', '-f', `${beside(place)}/dump.rdb`)}
        )
        ${startBeside(place, server(place), beside(place))}
        ${asInstance(place, 'cat', keys(place))} | ${noteOfBeside(place)}
        ${asInstance(place, 'rm', '-f', keys(place))}
      `,
      ),
    // Keys that have an end may be over by now: they count because the one that made the file had each of them.
    countBeside: (place) => sh`
      {
        ${notedOfBeside(place)}
        echo now
        ${askBeside(place)} info keyspace
      } | tr -d '\r' | awk -F '[:=,]' '
        $1 == "now" { now = 1 }
        !now && /^db[0-9]/ { ending[$1] = $5; lasting[$1] = 0 }
        now && /^db[0-9]/ { lasting[$1] = $3 - $5 }
        END { for (each in lasting) print "keys." each, lasting[each] + ending[each] }'
    `,
    swap: (place) => sh`
      mv -T ${data(place)} ${former(place)}
      mv -T ${beside(place)} ${data(place)}
      ${serve(place)}
    `,
    prepareUndo: (place) => sh`
      if [ ! -d ${former(place)} ]; then exit 0; fi
      said=$(${asInstance(place, 'sh', '-c', 'cat "$0"/appendonlydir/*.base.rdb | redis-check-rdb /dev/stdin', former(place))} 2>&1) || :
      ${needed}
      if [ "$needs" -gt "$free" ]; then
        printf 'The former data takes %s MB of memory, and %s MB are free: redis is away while it reads them\n' "$needs" "$free"
        exit 0
      fi
      ${startBeside(place, server(place), former(place))}
    `,
    undo: (place) => sh`
      if [ -d ${former(place)} ]; then
        if [ -d ${data(place)} ]; then mv -T ${data(place)} ${beside(place)}; fi
        mv -T ${former(place)} ${data(place)}
      fi
      # The data are back, whether or not it starts: what keeps it from that may be for the next deploy to mend.
      (
        ${serve(place)}
      ) || echo 'Its data are as before; the next deploy starts it'
    `,
    keep: (place) => sh`if [ -d ${beside(place)} ]; then mv -T ${beside(place)} ${former(place)}; fi`,
    forget: (place) => sh`rm -rf --one-file-system ${former(place)}`,
    discard: (place) => sh`
      ${endBeside(place)}
      rm -rf --one-file-system ${beside(place)}
    `,
  },
  shell: (place) => ['redis-cli', '-s', socket(place)],
  door: (place) => ({ at: socket(place), url: overTcp, environ: (port) => ({ REDIS_URL: overTcp(port) }) }),
  here: () => [{ what: 'what answers at port 6379 of this machine', at: 6379, environ: { REDIS_URL: overTcp(6379) } }],
  facts: (place) =>
    lines(
      client(place),
      sh`
      ${answers(place)} || { echo 'its server does not answer'; exit 1; }
      cli info | tr -d '\r' | awk -F '[:=,]' '
        /^redis_version:/ { print "version", $2 }
        /^used_memory:/ { print "size", $2 }
        /^connected_clients:/ { print "connections", $2 - 1 }
        /^db[0-9]+:keys=/ { keys += $3 }
        END { print "keys", keys + 0 }'
    `,
    ),
  destroy: (place) => [
    noBeside(place),
    noServer(place, name),
    ...noRedisServer(place),
    {
      title: 'Data of redis',
      check: sh`test ! -e ${folder(place)}`,
      apply: sh`rm -rf --one-file-system ${folder(place)}`,
    },
  ],
})
