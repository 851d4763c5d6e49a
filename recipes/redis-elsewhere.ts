import { isSecret, reveal } from '../engine/shell/secret.js'
import { lines, sh } from '../engine/shell/sh.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import { redisAccess } from '../project/redis-url.js'
import type { Elsewhere, Place } from '../project/service.js'
import { asInstance } from './as-instance.js'
import { accessFiles, addressOf, answers, authorityFile, withAccess } from './elsewhere-access.js'
import { directory } from './file.js'
import { redis } from './redis.js'
import { redisServer } from './redis-node.js'
import { checkSnapshot, fits, redisMember, secondServer, secondSocket } from './redis-snapshot.js'

type Settings = Readonly<Record<string, unknown>>

const name = 'redis'
const scratch = (place: Place) => `${layout.service(place, name)}/scratch`

/** Databases that an application has of a server which is all its own. Those beside and those before come behind. */
const own = 16

/** For each database its number in a bundle, and where it is live, beside and former, as the script in templates/ reads them. */
function databases({ node, spare }: Settings, live: number): string {
  if (node !== undefined) return [...Array(own).keys()].map((each) => `${each}:${each}:${each + own}:${each + 2 * own}`).join(' ')
  const [beside, former] = Array.isArray(spare) ? spare : []
  return `0:${live}:${beside}:${former}`
}

function access(place: Place, settings: Settings) {
  const address = addressOf(settings)
  if (address === undefined) return { url: String(settings.url), variables: {} }
  const { url, cli, database } = redisAccess(address, authorityFile(place, name, settings))
  return { url, variables: { ...cli, REDIS_URL: url, REDIS_DATABASES: databases(settings, database) } }
}

/** The script that speaks with the server, as the instance's user; the variables of {@link withAccess} tell it where that is. */
export function redisScript(): readonly string[] {
  const script = render('services/redis-elsewhere.py')
  return ['/usr/bin/python3', '-Ic', isSecret(script) ? reveal(script) : script]
}

const overTcp = (port: number) => `redis://127.0.0.1:${port}`

/** redis' own client takes the password from its environment. */
const cliWords = sh`-h "$REDIS_HOST" -p "$REDIS_PORT" \${REDIS_USER:+--user "$REDIS_USER"} $REDIS_FLAGS`
const cli = (place: Place) => sh`${asInstance(place, 'redis-cli')} ${cliWords}`

/** Root's shell as a client: `there` is the script. */
const client = (place: Place) =>
  lines(withAccess(place, name), sh`there() { ${asInstance(place, ...redisScript())} "$@" </dev/null; }`)

const socket = (place: Place) => secondSocket(scratch(place))
const fresh = (place: Place) => sh`
  rm -rf --one-file-system ${scratch(place)}
  install -d -o ${place.name} -g ${place.name} -m 0700 ${scratch(place)}
`
const snapshot = (place: Place) => `${scratch(place)}/dump.rdb`

const script = (what: string) => (place: Place) => lines(client(place), sh`there ${what}`)

/** redis that is reached over the network, by keys: nobody can put files in the place of its own. */
export const redisElsewhere: Elsewhere = {
  install: () => redis(),
  setup: (place, settings) => [
    ...directory({ path: layout.service(place, name), group: place.name, mode: '0750' }),
    ...accessFiles(place, name, settings, { ...access(place, settings).variables }),
    answers(place, name, { client: client(place), ask: sh`there answers`, at: sh`"$REDIS_HOST"` }),
  ],
  environ: (place, settings) => ({ REDIS_URL: access(place, settings).url }),
  data: {
    member: redisMember,
    ready: script('ready'),
    // A server that is all ours gives a snapshot of one moment, if it gives one to clients at all; else each key is read for itself.
    dump: (place) =>
      lines(
        client(place),
        secondServer(place, scratch(place)),
        fresh(place),
        sh`
        if there alone && ${cli(place)} --rdb ${snapshot(place)} >/dev/null 2>&1 && ${checkSnapshot(place, sh`${snapshot(place)}`)} >/dev/null; then
          ${fits(place, sh`${snapshot(place)}`)}
          start --appendonly no --databases 64 --replica-read-only no
          there keep_ours ${socket(place)}
        else
          rm -f ${scratch(place)}/*
          start --appendonly no --databases 64 --replica-read-only no
          there take ${socket(place)}
        fi
        there counts ${socket(place)}
        other save | grep -qx OK
        ${asInstance(place, 'cat', snapshot(place))} >"$KRAFT_OUT"
        rm -rf --one-file-system ${scratch(place)}
      `,
      ),
    count: script('count'),
    beside: (place) =>
      lines(
        client(place),
        secondServer(place, scratch(place)),
        fits(place, sh`"$KRAFT_IN"`),
        fresh(place),
        sh`
        ${asInstance(place, 'sh', '-c', 'umask 077; cat >"$0"', snapshot(place))} <"$KRAFT_IN"
        start --appendonly no --databases 64
        there beside ${socket(place)}
        rm -rf --one-file-system ${scratch(place)}
      `,
      ),
    countBeside: script('count_beside'),
    swap: script('swap'),
    undo: script('undo'),
    keep: script('keep'),
    forget: script('forget'),
    discard: script('discard'),
  },
  shell: () => ['sh', '-c', `exec redis-cli ${cliWords.text} -n "$REDIS_DB" "$@"`, 'redis-cli'],
  // Whoever comes through it has said who it is.
  door: () => ({ at: { command: [...redisScript(), 'relay'] }, url: overTcp, environ: (port) => ({ REDIS_URL: overTcp(port) }) }),
  facts: script('facts'),
  server: redisServer,
}
