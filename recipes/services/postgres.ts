import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import { defineService, type Place } from '../../project/service.js'
import { postgres } from '../postgres.js'

// As the server's own superuser over its socket, never over TCP: no password exists that could leak.
const admin = sh`
  admin() { runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
`
const exists = (database: string) =>
  sh`[ "$(admin -d postgres -c ${`SELECT 1 FROM pg_database WHERE datname = '${database}'`})" = 1 ]`

// What nobody may reach but the roles that own it; a database is made open to all.
const closed = (database: string) =>
  sh`[ "$(admin -d postgres -c ${`SELECT has_database_privilege('public', '${database}', 'CONNECT')`})" = f ]`
const close = (database: string) => sh`admin -d postgres -c ${`REVOKE ALL ON DATABASE "${database}" FROM PUBLIC`}`

const beside = ({ name }: Place) => `${name}+beside`
const former = ({ name }: Place) => `${name}+former`
const as = ({ name }: Place, ...command: string[]) => sh`setpriv --reuid ${name} --regid ${name} --init-groups -- ${command}`

// Exact, and one statement a table: an estimate could not prove a load. The list is a query whose rows psql runs.
const countRows = `SELECT format('SELECT %L, count(*) FROM %I.%I', 'rows.' || table_schema || '.' || table_name, table_schema, table_name)
  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
  ORDER BY 1 \\gexec`

// Rows are counted in the snapshot that pg_dump reads, so that both agree whatever is written meanwhile.
const snapshot = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\gset
\\setenv KRAFT_SNAPSHOT :snapshot
\\! pg_dump --format=custom --no-owner --no-privileges --snapshot="$KRAFT_SNAPSHOT" >&3 || echo dump failed
${countRows}
COMMIT;
`

const psql = (place: Place, database: string) => as(place, 'psql', '-XAtq', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-d', database)

// Connections are blocked and ended first, else a rename would wait for them; both renames are one transaction.
const exchange = (place: Place, steps: readonly (readonly [string, string])[]): Sh => {
  const names = [...new Set(steps.flat())]
  const renames = steps.map(([from, to]) => `ALTER DATABASE "${from}" RENAME TO "${to}";`).join(' ')
  return sh`
    for database in ${names}; do
      if [ "$(admin -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$database'")" = 1 ]; then
        admin -d postgres -c "ALTER DATABASE \"$database\" WITH ALLOW_CONNECTIONS false"
        admin -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$database'" >/dev/null
      fi
    done
    code=0
    admin -d postgres -c ${`BEGIN; ${renames} COMMIT;`} || code=$?
    for database in ${names} ${place.name}; do
      if [ "$(admin -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$database'")" = 1 ]; then
        admin -d postgres -c "ALTER DATABASE \"$database\" WITH ALLOW_CONNECTIONS true"
      fi
    done
    exit "$code"
  `
}

/** A database and a role of the instance's own; the Linux user is the proof of identity, so there is no password. */
export const service = defineService({
  name: 'postgres',
  doc: "PostgreSQL: the instance's own database and role, reached over the socket without a password",
  section: {},
  install: () => postgres(),
  setup: (place) => [
    {
      title: `Role ${place.name}`,
      check: lines(admin, sh`[ "$(admin -d postgres -c ${`SELECT 1 FROM pg_roles WHERE rolname = '${place.name}'`})" = 1 ]`),
      apply: lines(admin, sh`admin -d postgres -c ${`CREATE ROLE "${place.name}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE`}`),
    },
    {
      title: `Database ${place.name}`,
      check: lines(admin, sh`${exists(place.name)} && ${closed(place.name)}`),
      apply: lines(admin, sh`if ${exists(place.name)}; then :; else ${create(place, place.name)}; fi`, close(place.name)),
    },
    {
      title: "No role enters the databases that are the server's own",
      check: lines(admin, sh`${closed('postgres')} && ${closed('template1')}`),
      apply: lines(admin, close('postgres'), close('template1')),
    },
  ],
  environ: ({ name }) => ({
    DATABASE_URL: `postgresql://${name}@/${name}?host=/var/run/postgresql`,
    PGHOST: '/var/run/postgresql',
    PGUSER: name,
    PGDATABASE: name,
  }),
  data: {
    member: 'postgres.dump',
    dump: (place) => sh`
      counts=$(printf '%s' ${snapshot} | PGDATABASE=${place.name} ${psql(place, place.name)} 3>"$KRAFT_OUT")
      printf '%s\n' "$counts"
      case $counts in *'dump failed'*) exit 1 ;; esac
    `,
    // As the instance's own role: a bundle is never superuser's code.
    beside: (place) =>
      lines(
        admin,
        sh`
        if ${exists(beside(place))}; then admin -d postgres -c ${`DROP DATABASE "${beside(place)}" WITH (FORCE)`}; fi
        ${create(place, beside(place))}
        ${as(place, 'pg_restore', '--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction', '--dbname', beside(place))} <"$KRAFT_IN"
      `,
      ),
    countBeside: (place) => sh`printf '%s' ${`${countRows}\n`} | ${psql(place, beside(place))}`,
    swap: (place) =>
      lines(
        admin,
        sh`if ${exists(former(place))}; then admin -d postgres -c ${`DROP DATABASE "${former(place)}" WITH (FORCE)`}; fi`,
        exchange(place, [
          [place.name, former(place)],
          [beside(place), place.name],
        ]),
      ),
    undo: (place) =>
      lines(
        admin,
        sh`if ! ${exists(former(place))} || ${exists(beside(place))}; then exit 0; fi`,
        exchange(place, [
          [place.name, beside(place)],
          [former(place), place.name],
        ]),
      ),
    discard: (place) =>
      lines(
        admin,
        sh`if ${exists(beside(place))}; then admin -d postgres -c ${`DROP DATABASE "${beside(place)}" WITH (FORCE)`}; fi`,
      ),
  },
  destroy: (place) => [
    {
      title: `Database and role ${place.name}`,
      check: lines(
        admin,
        sh`
        if ! command -v psql >/dev/null; then exit 0; fi
        [ -z "$(admin -d postgres -c ${`SELECT 1 FROM pg_roles WHERE rolname = '${place.name}'`})" ] && ! ${exists(place.name)}
      `,
      ),
      apply: lines(
        admin,
        ...[place.name, beside(place), former(place)].map(
          (database) => sh`admin -d postgres -c ${`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`}`,
        ),
        sh`admin -d postgres -c ${`DROP ROLE IF EXISTS "${place.name}"`}`,
      ),
    },
  ],
})

function create({ name }: Place, database: string): Sh {
  return sh`
    admin -d postgres -c ${`CREATE DATABASE "${database}" OWNER "${name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'`}
    ${close(database)}
    admin -d ${database} -c ${`ALTER SCHEMA public OWNER TO "${name}"`}
  `
}
