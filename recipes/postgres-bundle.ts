import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'

/** The file in a bundle. */
export const postgresMember = 'postgres.dump.zst'

// Exact, and one statement a table: an estimate could not prove a load. The list is a query whose rows psql runs.
const countRows = `SELECT format('SELECT %L, count(*) FROM %I.%I', 'rows.' || table_schema || '.' || table_name, table_schema, table_name)
  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
  ORDER BY 1 \\gexec`

// Rows are counted in the snapshot that pg_dump reads, so that both agree whatever is written meanwhile.
const snapshot = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\gset
\\setenv KRAFT_SNAPSHOT :snapshot
\\! pg_dump --format=custom --compress=0 --no-owner --no-privileges --snapshot="$KRAFT_SNAPSHOT" >&3 || echo dump failed
${countRows}
COMMIT;
`

// An older kraft had it compressed by pg_dump.
const unpacked = sh`case $KRAFT_IN in *.zst) zstd -dcq "$KRAFT_IN" ;; *) cat "$KRAFT_IN" ;; esac`

/** Asks a database with the instance's own rights: statements of stdin, or of `-c`. */
export const psql = (place: Place, database: string | Sh) =>
  sh`${asInstance(place, 'psql', '-XAtq', '-F', ' ', '-v', 'ON_ERROR_STOP=1')} -d ${database}`

/** Writes a database to `$KRAFT_OUT` and prints how many rows its tables have. The environment says where it is. */
export function dumpDatabase(place: Place, database: string | Sh): Sh {
  return sh`
    {
      printf '%s' ${snapshot} | PGDATABASE=${database} ${psql(place, database)} 3>&1 >"$KRAFT_OUT.rows" || echo 'dump failed' >>"$KRAFT_OUT.rows"
    } | zstd -q -f -o "$KRAFT_OUT"
    cat "$KRAFT_OUT.rows"
    if grep -qx 'dump failed' "$KRAFT_OUT.rows"; then exit 1; fi
    rm -f "$KRAFT_OUT.rows"
  `
}

/** A query that says how a database is: its name as a text of SQL. */
export const postgresFacts = (database: string) => `SELECT 'version ' || split_part(current_setting('server_version'), ' ', 1)
  UNION ALL SELECT 'size ' || pg_database_size(${database})
  UNION ALL SELECT 'connections ' || count(*) FROM pg_stat_activity WHERE datname = ${database}`

// Indexes are made anew, and what zstd has packed is no larger than the tables are.
const tablesSize = `SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind = 'r'`

/** Prints how many bytes the dump of a database takes at most. */
export function sizeOfDatabase(place: Place, database: string | Sh): Sh {
  return sh`${psql(place, database)} -c ${tablesSize}`
}

/** Prints how many rows the tables of a database have. */
export function countDatabase(place: Place, database: string | Sh): Sh {
  return sh`printf '%s' ${`${countRows}\n`} | ${psql(place, database)}`
}

/**
 * Loads `$KRAFT_IN` into an empty database with the instance's own rights. Extensions that it has already, because no instance may make
 * them, are passed over in the bundle.
 */
export function restoreDatabase(place: Place, database: string | Sh): Sh {
  return sh`
    granted=$(${psql(place, database)} -c "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
    set --
    if [ -n "$granted" ]; then
      list=$(mktemp)
      trap 'rm -f "$list"' EXIT
      ${unpacked} | ${asInstance(place, 'pg_restore', '--list')} | awk -v granted=" $(echo $granted) " '
        $4 == "EXTENSION" && index(granted, " " $6 " ") { next }
        $4 == "COMMENT" && $6 == "EXTENSION" && index(granted, " " $7 " ") { next }
        { print }' >"$list"
      chown ${place.name} "$list"
      set -- --use-list "$list"
    fi
    ${unpacked} | ${asInstance(place, 'pg_restore', '--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction')} \
      --dbname ${database} "$@"
  `
}
