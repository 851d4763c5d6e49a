import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'

/** The file in a bundle. */
export const postgresMember = 'postgres.dump'

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

const psql = (place: Place, database: string | Sh) =>
  sh`${asInstance(place, 'psql', '-XAtq', '-F', ' ', '-v', 'ON_ERROR_STOP=1')} -d ${database}`

/** Writes a database to `$KRAFT_OUT` and prints how many rows its tables have. The environment says where it is. */
export function dumpDatabase(place: Place, database: string | Sh): Sh {
  return sh`
    counts=$(printf '%s' ${snapshot} | PGDATABASE=${database} ${psql(place, database)} 3>"$KRAFT_OUT")
    printf '%s\n' "$counts"
    case $counts in *'dump failed'*) exit 1 ;; esac
  `
}

/** Prints how many rows the tables of a database have. */
export function countDatabase(place: Place, database: string | Sh): Sh {
  return sh`printf '%s' ${`${countRows}\n`} | ${psql(place, database)}`
}

/**
 * Loads `$KRAFT_IN` into an empty database with the instance's own rights. Extensions that the shell variable `granted` names are there
 * already, because no instance may make them, and are passed over in the bundle.
 */
export function restoreDatabase(place: Place, database: string | Sh): Sh {
  return sh`
    list=$(mktemp)
    trap 'rm -f "$list"' EXIT
    ${asInstance(place, 'pg_restore', '--list')} <"$KRAFT_IN" | awk -v granted=" $(echo $granted) " '
      $4 == "EXTENSION" && index(granted, " " $6 " ") { next }
      $4 == "COMMENT" && $6 == "EXTENSION" && index(granted, " " $7 " ") { next }
      { print }' >"$list"
    chown ${place.name} "$list"
    ${asInstance(place, 'pg_restore', '--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction')} \
      --dbname ${database} --use-list "$list" <"$KRAFT_IN"
  `
}
