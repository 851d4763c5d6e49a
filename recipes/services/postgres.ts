import * as v from 'valibot'
import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { postgres, postgresVersion } from '../postgres.js'
import { postgresTuning } from '../postgres-tuning.js'

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

const psql = (place: Place, database: string) =>
  asInstance(place, 'psql', '-XAtq', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-d', database)

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
  section: {
    version: {
      schema: v.optional(v.pipe(v.number(), v.integer('a whole number'))),
      doc: "Version that the node's PostgreSQL must have; Debian 12 has 15, Debian 13 has 17. Default: whichever it has",
      example: 17,
    },
    extensions: {
      schema: v.optional(
        v.array(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]*$/, 'the name of an extension, as in pg_trgm'))),
        [],
      ),
      doc: 'Extensions in its database',
      example: ['pg_trgm', 'unaccent'],
    },
  },
  install: () => [...postgres(), ...postgresTuning()],
  setup: (place, settings) => [
    ...ofVersion(settings.version),
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
    ...(Array.isArray(settings.extensions) ? settings.extensions : []).map((name) => extension(place, String(name))),
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
        # Extensions that no instance may make are made as they were in the live database, and passed over in the bundle.
        list=$(mktemp)
        trap 'rm -f "$list"' EXIT
        granted=$(admin -d ${place.name} -c ${`SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
          AND extowner <> (SELECT oid FROM pg_roles WHERE rolname = '${place.name}')`})
        for each in $granted; do admin -d ${beside(place)} -c "CREATE EXTENSION \"$each\""; done
        ${asInstance(place, 'pg_restore', '--list')} <"$KRAFT_IN" | awk -v granted=" $(echo $granted) " '
          $4 == "EXTENSION" && index(granted, " " $6 " ") { next }
          $4 == "COMMENT" && $6 == "EXTENSION" && index(granted, " " $7 " ") { next }
          { print }' >"$list"
        chown ${place.name} "$list"
        ${asInstance(place, 'pg_restore', '--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction', '--dbname', beside(place))} \
          --use-list "$list" <"$KRAFT_IN"
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
  shell: ({ name }) => ['psql', '-h', '/var/run/postgresql', '-d', name],
  door: ({ name }) => ({
    at: '/var/run/postgresql/.s.PGSQL.5432',
    url: (port) => `postgresql://${name}@127.0.0.1:${port}/${name}`,
  }),
  facts: ({ name }) =>
    lines(
      admin,
      sh`admin -d postgres -c ${`SELECT 'version ' || split_part(current_setting('server_version'), ' ', 1)
        UNION ALL SELECT 'size ' || pg_database_size('${name}')
        UNION ALL SELECT 'connections ' || count(*) FROM pg_stat_activity WHERE datname = '${name}'`}`,
    ),
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

function ofVersion(wanted: unknown): readonly Step[] {
  if (wanted === undefined) return []
  return [
    {
      title: `PostgreSQL ${wanted}`,
      check: lines(postgresVersion, sh`test "$version" = ${String(wanted)}`),
      apply: lines(
        postgresVersion,
        sh`
        printf 'This node has PostgreSQL %s, and kraftwerk.yaml asks for version %s\n' "$version" ${String(wanted)}
        echo "It comes with the node's release: Debian 12 has 15, Debian 13 has 17. Take another image, or leave version: out"
        exit 1
      `,
      ),
    },
  ]
}

function extension(place: Place, name: string): Step {
  const create = `CREATE EXTENSION "${name}"`
  const of = (question: string) => sh`"$(admin -d ${place.name} -c ${question})"`
  return {
    title: `Extension ${name}`,
    check: lines(admin, sh`[ ${of(`SELECT 1 FROM pg_extension WHERE extname = '${name}'`)} = 1 ]`),
    // Whatever the instance may make itself is made with its rights, in a database whose objects are its own.
    apply: lines(
      admin,
      sh`
      case ${of(`SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = '${name}'`)} in
        t) ${asInstance(place, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', place.name, '-c', create)} ;;
        f) admin -d ${place.name} -c ${create} ;;
        *)
          printf 'PostgreSQL on this node has no extension "%s"\n' ${name}
          echo 'If a Debian package brings it, name that under apt:, as in postgresql-15-pgvector'
          exit 1
          ;;
      esac
    `,
    ),
  }
}
