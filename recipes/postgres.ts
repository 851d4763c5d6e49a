import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'

/** The release's own version of the server and its client. */
export const postgresPackages = ['postgresql'] as const

/** Sets the shell variable `version` to the newest server that is installed: a node that was upgraded has several. */
export const postgresVersion = sh`
  version=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | cut -d / -f 5 | sort -V | tail -n 1)
  if [ -z "$version" ]; then echo 'PostgreSQL is not installed'; exit 2; fi`

/** Defines the shell function `ask`, which prints what a query finds. */
export const askPostgres = sh`ask() { runuser -u postgres -- psql --cluster "$version/main" -XAtqc "$1" postgres; }`

/** PostgreSQL, running, with a cluster in UTF-8 that listens on its socket and on localhost only. */
export function postgres(): readonly Step[] {
  return [...apt(...postgresPackages), ...postgresSetup()]
}

/** {@link postgres} once its packages are there. */
export function postgresSetup(): readonly Step[] {
  return [
    {
      title: 'PostgreSQL has a cluster',
      check: lines(postgresVersion, sh`test -f "/etc/postgresql/$version/main/postgresql.conf"`),
      apply: lines(postgresVersion, sh`pg_createcluster --locale C.UTF-8 --encoding UTF8 "$version" main`),
    },
    {
      title: 'PostgreSQL is running',
      check: lines(
        postgresVersion,
        // On a node that boots right now it is about to start by itself.
        sh`
        for try in $(seq 100); do
          if [ -z "$(systemctl list-jobs --no-legend "postgresql@$version-main.service")" ]; then break; fi
          sleep 0.2
        done
        systemctl is-enabled --quiet postgresql.service && systemctl is-active --quiet "postgresql@$version-main.service"
      `,
      ),
      apply: lines(
        postgresVersion,
        sh`
        systemctl enable --quiet postgresql.service
        systemctl start "postgresql@$version-main.service"
      `,
      ),
    },
    {
      title: "PostgreSQL's cluster is in UTF-8",
      check: lines(postgresVersion, askPostgres, sh`test "$(ask 'show server_encoding')" = UTF8`),
      apply: lines(
        postgresVersion,
        askPostgres,
        sh`
        printf 'The cluster %s/main is in %s and kraft does not convert data.\n' "$version" "$(ask 'show server_encoding')"
        printf 'If nothing in it is needed: pg_dropcluster --stop %s main && pg_createcluster --locale C.UTF-8 --start %s main\n' "$version" "$version"
        exit 1
      `,
      ),
    },
    postgresListens(),
  ]
}

// Somebody on another node has a database here.
const addresses = sh`
  addresses=localhost
  for each in /etc/kraftwerk/*/postgres.clients; do
    if [ -e "$each" ]; then addresses='*'; fi
  done
`

/** Where it listens: on no network unless a node with the role db serves others, which its firewall and its rules then choose. */
export function postgresListens(): Step {
  return {
    title: 'PostgreSQL listens on its socket and localhost only, but for nodes that it serves',
    check: lines(postgresVersion, askPostgres, addresses, sh`test "$(ask 'show listen_addresses')" = "$addresses"`),
    apply: lines(
      postgresVersion,
      askPostgres,
      addresses,
      sh`
        ask "alter system set listen_addresses = '$addresses'"
        systemctl restart "postgresql@$version-main.service"
      `,
    ),
    diff: lines(addresses, sh`echo "listen_addresses = '$addresses'"`),
  }
}
