import * as v from 'valibot'
import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { postgresUrlProblem } from '../../project/postgres-url.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { elsewhereSection } from '../elsewhere-section.js'
import { postgres, postgresVersion } from '../postgres.js'
import {
  countDatabase,
  dumpDatabase,
  postgresFacts,
  postgresMember,
  psql,
  restoreDatabase,
  sizeOfDatabase,
} from '../postgres-bundle.js'
import { postgresElsewhere } from '../postgres-elsewhere.js'
import { keepRights } from '../postgres-rights.js'
import { noPostgresServer, serverDatabases } from '../postgres-server.js'
import { postgresTuning } from '../postgres-tuning.js'

// As the server's own superuser over its socket, never over TCP: no password exists that could leak.
const admin = sh`
  # Whoever owns a database sets a search path for all who enter it, and what lies there would be run with these rights.
  admin() { runuser -u postgres -- env PGOPTIONS='-c search_path=pg_catalog' psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
  # A server that does not answer has not said that there is none.
  exists() {
    found=$(admin -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'") || exit 1
    [ "$found" = 1 ]
  }
`
const exists = (database: string) => sh`exists ${database}`

// What nobody may reach but the roles that own it; a database is made open to all.
const closed = (database: string) =>
  sh`[ "$(admin -d postgres -c ${`SELECT has_database_privilege('public', '${database}', 'CONNECT')`})" = f ]`
const close = (database: string) => sh`admin -d postgres -c ${`REVOKE ALL ON DATABASE "${database}" FROM PUBLIC`}`

const beside = ({ name }: Place) => `${name}+beside`
const former = ({ name }: Place) => `${name}+former`
const retired = ({ name }: Place) => `${name}+retired`

// A plus in a name is one in a URL's path as well.
const environOf = ({ name }: Place, database: string) => ({
  DATABASE_URL: `postgresql://${name}@/${database}?host=/var/run/postgresql`,
  PGHOST: '/var/run/postgresql',
  PGUSER: name,
  PGDATABASE: database,
})

const overTcp = (user: string, database: string, port: number) => ({
  DATABASE_URL: `postgresql://${user}@127.0.0.1:${port}/${database}`,
  PGHOST: '127.0.0.1',
  PGPORT: String(port),
  PGUSER: user,
  PGDATABASE: database,
})

const asks = (host: string, user: string, database: string): [string, ...string[]] => {
  return ['psql', '-XAtqw', '-h', host, '-p', '5432', '-U', user, '-d', database, '-c', 'SELECT 1']
}

const all = (place: Place) => `('${place.name}', '${beside(place)}', '${former(place)}')`

const allowed = (place: Place) => `SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', datname) FROM pg_database
  WHERE NOT datallowconn AND datname IN ${all(place)} \\gexec
`
const allow = (place: Place) => sh`printf '%s' ${allowed(place)} | admin -d postgres`

// Connections are blocked and ended first, else a rename would wait for them; all renames are one transaction.
const exchange = (place: Place, ...renames: readonly (readonly [string, string])[]): Sh => {
  const statements = `SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', datname) FROM pg_database
  WHERE datname IN ${all(place)} \\gexec
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ${all(place)} \\g /dev/null
BEGIN;
${renames.map(([from, to]) => `ALTER DATABASE "${from}" RENAME TO "${to}";\n`).join('')}COMMIT;
${allowed(place)}`
  return sh`
    code=0
    printf '%s' ${statements} | admin -d postgres || code=$?
    if [ "$code" != 0 ]; then
      ${allow(place)}
      exit "$code"
    fi
  `
}

const dropNow = (database: string) => sh`admin -d postgres -c ${`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`}`
const dropIfThere = (database: string) => sh`if ${exists(database)}; then ${dropNow(database)}; fi`

// Dropping one has the server write all that is new in any of them.
const retire = (place: Place) => sh`
  printf '%s' ${`SET client_min_messages = warning;
DROP DATABASE IF EXISTS "${retired(place)}" WITH (FORCE);
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${former(place)}' \\g /dev/null
SELECT 'ALTER DATABASE "${former(place)}" RENAME TO "${retired(place)}"' FROM pg_database WHERE datname = '${former(place)}' \\gexec
`} | admin -d postgres || ${dropNow(former(place))}
`

/** A database and a role of the instance's own; the Linux user is the proof of identity, so there is no password. */
export const service = defineService({
  name: 'postgres',
  doc: "PostgreSQL: the instance's own database and role, reached over the socket without a password",
  section: {
    ...elsewhereSection('database', postgresUrlProblem),
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
  elsewhere: postgresElsewhere,
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
  environ: (place) => environOf(place, place.name),
  data: {
    member: postgresMember,
    dump: (place) => dumpDatabase(place, place.name),
    size: (place) => sizeOfDatabase(place, place.name),
    count: (place) => countDatabase(place, place.name),
    makeBeside: (place) =>
      lines(
        admin,
        sh`
        ${dropIfThere(beside(place))}
        ${create(place, beside(place))}
        # Extensions that no instance may make are made as they were in the live database, and passed over in the bundle.
        granted=$(admin -d ${place.name} -c ${`SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
          AND extowner <> (SELECT oid FROM pg_roles WHERE rolname = '${place.name}')`})
        for each in $granted; do admin -d ${beside(place)} -c "SET search_path = public; CREATE EXTENSION \"$each\""; done
      `,
      ),
    // As the instance's own role: a bundle is never superuser's code.
    beside: (place) => lines(admin, restoreDatabase(place, beside(place)), keepRights(place, place.name, beside(place))),
    countBeside: (place) => countDatabase(place, beside(place)),
    copy: (place) => ({ environ: environOf(place, beside(place)), sql: psql(place, beside(place)) }),
    swap: (place) => lines(admin, exchange(place, [place.name, former(place)], [beside(place), place.name])),
    undo: (place) =>
      lines(
        admin,
        sh`
        if ${exists(former(place))}; then
          ${exchange(place, [place.name, beside(place)], [former(place), place.name])}
        else
          ${allow(place)}
        fi
      `,
      ),
    keep: (place) => lines(admin, sh`if ${exists(beside(place))}; then ${exchange(place, [beside(place), former(place)])}; fi`),
    forget: (place) => lines(admin, dropIfThere(former(place)), dropIfThere(retired(place))),
    retire: (place) => lines(admin, retire(place)),
    clear: (place) => lines(admin, dropIfThere(retired(place))),
    discard: (place) => lines(admin, dropIfThere(beside(place))),
  },
  shell: ({ name }) => ['psql', '-h', '/var/run/postgresql', '-d', name],
  door: ({ name }) => ({
    at: '/var/run/postgresql/.s.PGSQL.5432',
    url: (port) => `postgresql://${name}@127.0.0.1:${port}/${name}`,
    environ: (port) => overTcp(name, name, port),
  }),
  here: ({ name, user }) => [
    ...['/var/run/postgresql', '/tmp'].map((folder) => ({
      what: `the database ${name} at ${folder} of this machine`,
      at: `${folder}/.s.PGSQL.5432`,
      proof: asks(folder, user, name),
      environ: {
        DATABASE_URL: `postgresql://${user}@/${name}?host=${folder}`,
        PGHOST: folder,
        PGUSER: user,
        PGDATABASE: name,
      },
    })),
    {
      what: `the database ${name} at port 5432 of this machine`,
      at: 5432,
      proof: asks('127.0.0.1', user, name),
      environ: overTcp(user, name, 5432),
    },
  ],
  facts: ({ name }) => lines(admin, sh`admin -d postgres -c ${postgresFacts(`'${name}'`)}`),
  destroy: (place) => [
    ...noPostgresServer(place),
    {
      title: `Database and role ${place.name}`,
      check: lines(
        admin,
        sh`
        if [ -z "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ]; then exit 0; fi
        [ -z "$(admin -d postgres -c ${`SELECT 1 FROM pg_roles WHERE rolname = '${place.name}'`})" ] && ! ${exists(place.name)}
      `,
      ),
      apply: lines(
        admin,
        ...[place.name, beside(place), former(place), retired(place), ...serverDatabases(place)].map(dropNow),
        sh`admin -d postgres -c ${`DROP ROLE IF EXISTS "${place.name}"`}`,
      ),
    },
  ],
})

function create({ name }: Place, database: string): Sh {
  return sh`
    printf '%s' ${`CREATE DATABASE "${database}" OWNER "${name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE "${database}" FROM PUBLIC;
\\connect "${database}"
ALTER SCHEMA public OWNER TO "${name}";\n`} | admin -d postgres
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
        f) admin -d ${place.name} -c ${`SET search_path = public; ${create}`} ;;
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
