import { posix } from 'node:path'
import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { directory } from '../file.js'
import { dropNamed, keepNames, namingFiles, swapNames, unswapNames } from '../named-by-file.js'
import { askRabbitmq, rabbitmq } from '../rabbitmq.js'

const name = 'rabbitmq'
// A vhost can't be renamed: the application is told by a file which one is its own.
const files = (place: Place) => namingFiles(layout.made(place, name))
const live = (place: Place) => files(place).live
const beside = (place: Place) => files(place).beside

const overTcp = (port: number, user: string, password: string, vhost: string) => {
  const url = `amqp://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(vhost)}`
  const parts = { RABBITMQ_USER: user, RABBITMQ_PASSWORD: password, RABBITMQ_VHOST: vhost }
  return { AMQP_URL: url, CELERY_BROKER_URL: url, ...parts }
}

/** Shell functions that work on the vhost that a file names. */
const vhosts = (place: Place): Sh =>
  lines(
    askRabbitmq(),
    sh`
    # As the instance's user, who finds the password in the environment alone.
    client() { (set -a; . "$1"; shift; exec ${asInstance(place, 'python3', '-I', '-c')} "$program" "$@"); }
    admin() { (set -a; . "$1"; shift; exec python3 -I -c "$program" "$@"); }
    # Its own exchanges, queues, bindings and policies.
    own() {
      all=$(rabbitmqctl --quiet export_definitions -)
      printf '%s\n' "$all" | admin "$1" own
    }
    # Policies come from the first line of what it reads.
    make() {
      # rabbitmqctl reads it as the server's own user. In /tmp of a Debian root writes to no file of somebody else's.
      definitions=$(mktemp)
      code=0
      admin "$1" grant >"$definitions" && chown rabbitmq "$definitions" && rabbitmqctl --quiet import_definitions "$definitions" >/dev/null || code=$?
      rm -f "$definitions"
      return "$code"
    }
    drop() {
      vhost=$(. "$1"; printf '%s' "$RABBITMQ_VHOST")
      if rabbitmqctl --quiet list_vhosts --no-table-headers | grep -qxF "$vhost"; then rabbitmqctl --quiet delete_vhost "$vhost"; fi
      rm -f "$1"
    }
    # write FILE VHOST PASSWORD
    write() {
      umask 077
      url=$(printf 'amqp://%s:%s@127.0.0.1:5672/%s' ${place.name} "$3" "$2" | sed 's/+/%2B/g')
      {
        printf "AMQP_URL='%s'\nCELERY_BROKER_URL='%s'\n" "$url" "$url"
        printf "RABBITMQ_USER='%s'\nRABBITMQ_PASSWORD='%s'\nRABBITMQ_VHOST='%s'\n" ${place.name} "$3" "$2"
      } >"$1.new"
      mv -f "$1.new" "$1"
    }
  `,
  )

const count = (place: Place, file: string) =>
  lines(
    vhosts(place),
    sh`
    definitions=$(own ${file})
    printf '%s\n' "$definitions" | client ${file} count
  `,
  )

/** A user and a vhost of the instance's own. */
export const service = defineService({
  name,
  doc: "RabbitMQ: the instance's own vhost and user on loopback, whose password never leaves the node",
  section: {},
  install: () => rabbitmq(),
  setup: (place) => [
    ...directory({ path: posix.dirname(live(place)), mode: '0700' }),
    {
      title: `User and vhost ${place.name} of RabbitMQ`,
      check: lines(vhosts(place), sh`test -s ${live(place)} && client ${live(place)} check 2>/dev/null`),
      apply: lines(
        vhosts(place),
        sh`
        if [ ! -s ${live(place)} ]; then
          write ${live(place)} ${place.name} "$(head -c 64 /dev/urandom | base64 -w 0 | tr -d '+/=' | cut -c 1-40)"
        fi
        make ${live(place)} </dev/null
        client ${live(place)} check
      `,
      ),
    },
  ],
  environ: () => ({}),
  made: ['AMQP_URL', 'CELERY_BROKER_URL', 'RABBITMQ_USER', 'RABBITMQ_PASSWORD', 'RABBITMQ_VHOST'],
  data: {
    member: 'rabbitmq.jsonl.zst',
    dump: (place) =>
      lines(
        vhosts(place),
        sh`
        definitions=$(own ${live(place)})
        printf '%s\n' "$definitions" | client ${live(place)} dump 3>"$KRAFT_OUT.jsonl"
        zstd -q -f --rm "$KRAFT_OUT.jsonl" -o "$KRAFT_OUT"
      `,
      ),
    // Queues and messages as the instance's own user; only policies are the administrator's to make.
    beside: (place) =>
      lines(
        vhosts(place),
        sh`
        if [ -e ${beside(place)} ]; then drop ${beside(place)}; fi
        number=2
        while grep -qsxF "RABBITMQ_VHOST='"${place.name}"+$number'" ${live(place)}*; do
          number=$((number + 1))
        done
        write ${beside(place)} ${place.name}"+$number" "$(. ${live(place)}; printf '%s' "$RABBITMQ_PASSWORD")"
        zstd -dcq <"$KRAFT_IN" | make ${beside(place)}
        zstd -dcq <"$KRAFT_IN" | client ${beside(place)} load
      `,
      ),
    count: (place) => count(place, live(place)),
    countBeside: (place) => count(place, beside(place)),
    swap: (place) => swapNames(files(place)),
    undo: (place) => unswapNames(files(place)),
    keep: (place) => keepNames(files(place)),
    forget: (place) => dropNamed(files(place), files(place).former, vhosts(place)),
    discard: (place) => dropNamed(files(place), beside(place), vhosts(place)),
  },
  door: ({ name }) => ({
    at: 5672,
    url: (port) => `amqp://${name}@127.0.0.1:${port}`,
    environ: (port, { RABBITMQ_PASSWORD = '', RABBITMQ_VHOST = '' }) => overTcp(port, name, RABBITMQ_PASSWORD, RABBITMQ_VHOST),
  }),
  here: () => [
    { what: 'what answers at port 5672 of this machine, as guest', at: 5672, environ: overTcp(5672, 'guest', 'guest', '/') },
  ],
  facts: (place) => sh`
    vhost=$(. ${live(place)}; printf '%s' "$RABBITMQ_VHOST")
    found=$(rabbitmqctl --quiet list_queues -p "$vhost" --no-table-headers messages message_bytes)
    printf 'version %s\n' "$(dpkg-query -W -f '\${Version}' rabbitmq-server | sed 's/[-+].*//')"
    printf '%s\n' "$found" | awk '
      NF == 2 { queues++; messages += $1; size += $2 }
      END { printf "size %.0f\nqueues %d\nmessages %.0f\n", size, queues, messages }'
    # Its own connections: each comes from the node itself.
    printf 'connections %s\n' "$(ss -Htne state established dport = :5672 | grep -c "uid:$(id -u ${place.name}) ")" || :
  `,
  destroy: (place) => [
    {
      title: `User and vhosts ${place.name} of RabbitMQ`,
      check: sh`! command -v rabbitmqctl >/dev/null || ! ls ${live(place)}* >/dev/null 2>&1`,
      apply: sh`
        for vhost in $(rabbitmqctl --quiet list_vhosts --no-table-headers); do
          case $vhost in ${place.name} | ${place.name}+*) rabbitmqctl --quiet delete_vhost "$vhost" ;; esac
        done
        if rabbitmqctl --quiet list_users --no-table-headers | cut -f 1 | grep -qxF ${place.name}; then
          rabbitmqctl --quiet delete_user ${place.name}
        fi
        rm -f ${live(place)} ${live(place)}.*
      `,
    },
  ],
})
