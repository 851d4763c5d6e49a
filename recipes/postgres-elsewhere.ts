import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { postgresAccess } from '../project/postgres-url.js'
import type { Elsewhere, Place } from '../project/service.js'
import { apt } from './apt.js'
import { asInstance } from './as-instance.js'
import { accessFiles, addressOf, answers, authorityFile, withAccess } from './elsewhere-access.js'
import { countDatabase, dumpDatabase, postgresFacts, postgresMember, restoreDatabase, sizeOfDatabase } from './postgres-bundle.js'
import { postgresServer } from './postgres-server.js'

type Settings = Readonly<Record<string, unknown>>

const name = 'postgres'

/** Variables for a client; nothing but words in a dry run, which does not know the address. */
function variables(place: Place, settings: Settings): Readonly<Record<string, string>> {
  const address = addressOf(settings)
  return address === undefined
    ? { DATABASE_URL: String(settings.url) }
    : postgresAccess(address, authorityFile(place, name, settings))
}

/**
 * Root's shell as a client: the instance's own programs and rights, at the address that only root's file has. `sql DATABASE` runs the
 * statements of stdin, which know the databases by their names: live, beside, former, and two that a load needs. One that is renamed
 * has no connection, so that is done through `door`; `empty` is what new ones are made of where it is there.
 */
const client = (place: Place) => sh`
  ${withAccess(place, name)}
  export PGCONNECT_TIMEOUT=15
  live=$PGDATABASE beside=$PGDATABASE+beside former=$PGDATABASE+former door=$PGDATABASE+door empty=$PGDATABASE+empty
  sql() {
    ${asInstance(place, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1')} -v live="$live" -v beside="$beside" -v former="$former" \
      -v door="$door" -v empty="$empty" -d "$@"
  }
  # A server that does not answer has not said that there is none. What is renamed may have no live database for a moment.
  exists() {
    found=$(printf '%s\n' "SELECT 1 FROM pg_database WHERE datname = :'$1';" | { sql "$live" 2>/dev/null || sql "$door"; }) || exit 1
    [ "$found" = 1 ]
  }
`

/** Runs SQL in a database that the shell names. */
const run = (database: Sh, statements: string) => sh`printf '%s\n' ${statements} | sql ${database}`

const live = sh`"$live"`
const beside = sh`"$beside"`
const door = sh`"$door"`

const drop = (database: string) => run(live, `DROP DATABASE IF EXISTS :"${database}" WITH (FORCE);`)

// As the live one is, and as closed to others. A copy of one with extensions has them, whoever made them there.
const create = (database: string) =>
  run(
    live,
    `SELECT CASE WHEN EXISTS (SELECT FROM pg_database WHERE datname = :'empty')
  THEN format('CREATE DATABASE %I TEMPLATE %I', :'${database}', :'empty')
  ELSE format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L%s', :'${database}',
    pg_encoding_to_char(encoding), datcollate, datctype,
    CASE to_jsonb(d) ->> 'datlocprovider'
      WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
      WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d) ->> 'datlocale')
      ELSE '' END)
  END FROM pg_database AS d WHERE datname = :'live' \\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'${database}') WHERE NOT has_database_privilege('public', :'live', 'CONNECT') \\gexec`,
  )

const all = ['live', 'beside', 'former']
const among = (names: readonly string[]) => `datname IN (${names.map((each) => `:'${each}'`).join(', ')})`

const allow = (whether: boolean) =>
  `SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS ${whether}', datname) FROM pg_database WHERE ${among(all)} \\gexec`

// Connections are blocked and ended first, else a rename would wait for them; both renames are one transaction. Nobody else's
// connections can be ended with these rights: a rename that meets one fails, and all is as it was.
const exchange = (...steps: readonly (readonly [string, string])[]): Sh => {
  return sh`
    if ! exists door; then ${create('door')}; fi
    code=0
    ${run(
      door,
      `${allow(false)}
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity WHERE ${among(all)} AND pg_has_role(usesysid, 'MEMBER') \\gset
BEGIN;
${steps.map(([from, to]) => `ALTER DATABASE :"${from}" RENAME TO :"${to}";`).join('\n')}
COMMIT;`,
    )} || code=$?
    ${run(door, allow(true))}
    if [ "$code" != 0 ]; then exit "$code"; fi
  `
}

// What a load will do, asked with the rights that it has. Rows are what hinders it.
const hindrances = `SELECT format('The role "%s" may not create databases. Whoever may say so there: ALTER ROLE "%s" CREATEDB', current_user, current_user)
  FROM pg_roles WHERE rolname = current_user AND NOT (rolcreatedb OR rolsuper);
SELECT format('The database "%s" is the role''s "%s", and "%s" can''t rename it. Whoever may say so there: ALTER DATABASE "%s" OWNER TO "%s"',
    datname, pg_get_userbyid(datdba), current_user, datname, current_user)
  FROM pg_database WHERE ${among(['live', 'beside', 'former', 'door'])} AND NOT pg_has_role(datdba, 'USAGE');
SELECT 'The server takes no writes: it is a standby' WHERE pg_is_in_recovery();`

/** PostgreSQL that is reached over the network, with the rights of the role that its address names. */
export const postgresElsewhere: Elsewhere = {
  install: () => apt('postgresql-client'),
  setup(place, settings) {
    return [
      ...accessFiles(place, name, settings, variables(place, settings)),
      answers(place, name, { client: client(place), ask: run(live, 'SELECT 1;'), at: sh`"$PGHOST"` }),
      ...ofVersion(place, settings.version),
      // On a node with the role db its own set-up has made them.
      ...(Array.isArray(settings.extensions) && settings.node === undefined ? settings.extensions : []).map((each) =>
        extension(place, String(each)),
      ),
    ]
  },
  environ: variables,
  data: {
    member: postgresMember,
    ready: (place) =>
      lines(
        client(place),
        sh`
        hindered=$(${run(live, hindrances)})
        if [ -n "$hindered" ]; then
          printf 'A load makes a database beside "%s" and swaps the two by renaming them.\n%s\n' "$live" "$hindered"
          printf 'Or restore it as its provider does, with nothing to take back: tar -xOf FILE %s | zstd -dc >data, and\n' ${postgresMember}
          echo 'pg_restore --no-owner --no-privileges --clean --if-exists --dbname "$DATABASE_URL" data'
          exit 1
        fi
      `,
      ),
    dump: (place) => lines(client(place), dumpDatabase(place, live)),
    makeBeside: (place) => lines(client(place), drop('beside'), create('beside')),
    beside: (place) => lines(client(place), restoreDatabase(place, beside)),
    size: (place) => lines(client(place), sizeOfDatabase(place, live)),
    count: (place) => lines(client(place), countDatabase(place, live)),
    countBeside: (place) => lines(client(place), countDatabase(place, beside)),
    copy: (place) => ({
      sql: sh`(${client(place)}
      sql "$beside")`,
    }),
    swap: (place) => lines(client(place), exchange(['live', 'former'], ['beside', 'live'])),
    undo: (place) =>
      lines(
        client(place),
        sh`
        if exists former; then
          ${exchange(['live', 'beside'], ['former', 'live'])}
        elif exists door; then
          ${run(door, allow(true))}
        fi
      `,
      ),
    keep: (place) => lines(client(place), sh`if exists beside; then ${exchange(['beside', 'former'])}; fi`),
    forget: (place) => lines(client(place), drop('former')),
    discard: (place) => lines(client(place), drop('beside'), drop('door')),
  },
  shell: () => ['psql'],
  door: () => ({
    at: { host: 'PGHOST', port: 'PGPORT', usual: 5432 },
    reads: ['PGUSER', 'PGDATABASE'],
    password: 'PGPASSWORD',
    url: (port, { PGUSER = '', PGDATABASE = '' }) => `postgresql://${encodeURIComponent(PGUSER)}@127.0.0.1:${port}/${PGDATABASE}`,
  }),
  facts: (place) => lines(client(place), run(live, `${postgresFacts(":'live'")};`)),
  server: postgresServer,
}

function ofVersion(place: Place, wanted: unknown): readonly Step[] {
  if (wanted === undefined) return []
  const ask = lines(client(place), sh`version=$(${run(live, "SELECT current_setting('server_version_num')::int / 10000;")})`)
  return [
    {
      title: `PostgreSQL ${wanted}`,
      check: lines(ask, sh`test "$version" = ${String(wanted)}`),
      apply: lines(
        ask,
        sh`
        printf 'The server at %s is PostgreSQL %s, and kraftwerk.yaml asks for version %s\n' "$PGHOST" "$version" ${String(wanted)}
        exit 1
      `,
      ),
    },
  ]
}

function extension(place: Place, each: string): Step {
  return {
    title: `Extension ${each}`,
    check: lines(client(place), sh`[ "$(${run(live, `SELECT 1 FROM pg_extension WHERE extname = '${each}';`)})" = 1 ]`),
    apply: lines(client(place), run(live, `CREATE EXTENSION "${each}";`)),
  }
}
