import { lines, Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place, ServiceData } from '../project/service.js'
import { asInstance } from './as-instance.js'

// Root's own: views, triggers, routines and events as SQL, because they can't be moved with the tables that they belong to.
const besideObjects = (place: Place) => `${layout.dumps(place)}/mysql.beside.sql`
const formerObjects = (place: Place) => `${layout.dumps(place)}/mysql.former.sql`

/** How a server is reached, and who may do there what the instance may not do everywhere. */
export interface MariadbReach {
  /** The name of the instance's database, as a word of the shell. */
  readonly live: Sh
  /** Words by which MariaDB's own programs find the server. */
  readonly words: Sh
  /** Makes the database `$1` for the instance, where it is not there. */
  readonly make: Sh
  readonly drop: Sh
  /** Ends all other connections to the databases. */
  readonly end: Sh
}

const utf8 = '--default-character-set=utf8mb4'
const plain = ['--no-tablespaces', '--skip-comments']

/**
 * Shell that reaches databases with the instance's own rights: `sql` is the client, `dumper` writes SQL, and `ask` runs statements of
 * stdin that name databases as {live}, {beside} and {former}, as the shell's variables are called.
 */
export const mariadbShell = (place: Place, { live, words, make, drop, end }: MariadbReach) => sh`
  live=${live}
  beside=$live+beside former=$live+former
  sql() { ${asInstance(place, 'mariadb', utf8, '-NB', '--raw')} ${words} "$@"; }
  dumper() { ${asInstance(place, 'mariadb-dump', utf8, ...plain)} ${words} "$@"; }
  dump_each() { ${asInstance(place, 'xargs', '-d', '\\n')} mariadb-dump ${[utf8, ...plain]} ${words} "$@"; }
  ask() { sed "s/{live}/$live/g; s/{beside}/$beside/g; s/{former}/$former/g" | sql; }
  make() { ${make}; }
  drop() { ${drop}; }
  end() { ${end}; }
`

/** Runs statements, which name databases in braces. */
export const ask = (statements: string) => sh`printf '%s\n' ${statements} | ask`

const tables = `table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')`
const moved = `table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')`
const quoted = (column: string) => `CONCAT('\`', REPLACE(${column}, '\`', '\`\`'), '\`')`

type Database = 'live' | 'beside' | 'former'
const variable = (database: Database) => new Sh(`"$${database}"`)

/** A query whose rows are the statements that count. */
const countStatements = (
  database: Database,
) => `SELECT CONCAT("SELECT CONCAT('rows.', ", QUOTE(table_name), ", ' ', COUNT(*)) FROM ",
  ${quoted('table_name')}, ';') FROM information_schema.tables WHERE table_schema = '{${database}}' AND ${tables}`

const counted = (database: Database) => sh`
  statements=$(${ask(countStatements(database))})
  printf '%s\n' "$statements" | sql ${variable(database)}
`

/** The same for statements that remove all that is not a table. */
const removeStatements = (database: Database) => {
  const each = (kind: string, from: string, column: string, schema: string, more = '') =>
    `SELECT CONCAT('DROP ', ${kind}, ' \`{${database}}\`.', ${quoted(column)}, ';') FROM information_schema.${from}
     WHERE ${schema} = '{${database}}'${more};`
  return [
    each(`'TRIGGER'`, 'triggers', 'trigger_name', 'trigger_schema'),
    each(`'VIEW'`, 'views', 'table_name', 'table_schema'),
    each(`'EVENT'`, 'events', 'event_name', 'event_schema'),
    each('routine_type', 'routines', 'routine_name', 'routine_schema', ` AND routine_type IN ('PROCEDURE', 'FUNCTION')`),
  ].join('\n')
}

type Moves = readonly (readonly [from: Database, to: Database])[]

/** The same for one statement that moves the tables of databases, all of them or none. */
const moveStatement = (moves: Moves) => {
  const from = moves.map(
    ([database, to], order) => `SELECT ${order} AS step, CONCAT('\`{${database}}\`.', ${quoted('table_name')}, ' TO \`{${to}}\`.',
     ${quoted('table_name')}) AS move FROM information_schema.tables
     WHERE table_schema = '{${database}}' AND ${moved}`,
  )
  return `SET group_concat_max_len = 1 << 30;
  SELECT CONCAT('RENAME TABLE ', GROUP_CONCAT(move ORDER BY step SEPARATOR ', '), ';')
  FROM (${from.join(' UNION ALL ')}) AS moves HAVING COUNT(*) > 0;`
}

const tablesOf = (database: Database) =>
  ask(`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{${database}}' AND ${moved}`)

// Writes all that is not a table as SQL to a file of root's, below how many tables there are.
const keepObjects = (database: Database, file: string) => sh`
  {
    printf -- '-- tables: %s\n' "$(${tablesOf(database)})"
    dumper --no-data --no-create-info --routines --events --triggers --add-drop-trigger ${variable(database)}
    views=$(${ask(`SELECT table_name FROM information_schema.views WHERE table_schema = '{${database}}'`)})
    if [ -n "$views" ]; then printf '%s\n' "$views" | dump_each --no-data --skip-triggers ${variable(database)}; fi
  } >${`${file}.new`}
  mv -f ${`${file}.new`} ${file}
`

// Whoever loads it owns it: a definer of another instance's is not let in.
const definer = '`[^`]*`@`[^`]*`'
const withoutDefiners = new Sh(
  `LC_ALL=C sed -E ${[
    `s%^(/\\*!50(003|106) CREATE\\*/ )/\\*!50[01]17 DEFINER=${definer}\\*/ %\\1%`,
    `s%^CREATE DEFINER=${definer} (PROCEDURE|FUNCTION)%CREATE \\1%`,
    `s%^/\\*!50013 DEFINER=${definer} SQL%/*!50013 SQL%`,
  ]
    .map((expression) => `-e '${expression}'`)
    .join(' ')}`,
)

/** Moves tables as the instance's user, whose connections end before, and leaves the live database with the objects of a file. */
const exchange = (moves: Moves, objects: string) => sh`
  end 2>/dev/null || :
  statements=$(${ask([...moves.map(([from]) => removeStatements(from)), moveStatement(moves)].join('\n'))})
  printf '%s\n' 'SET lock_wait_timeout = 20; SET foreign_key_checks = 0;' "$statements" | sql
  sql "$live" <${objects}
`

/** Statements that say how the live database is. */
export const mariadbFacts = `SELECT CONCAT('version ', SUBSTRING_INDEX(VERSION(), '-', 1));
SELECT CONCAT('size ', COALESCE(SUM(data_length + index_length), 0)) FROM information_schema.tables WHERE table_schema = '{live}';
SELECT CONCAT('connections ', COUNT(*)) FROM information_schema.processlist WHERE db = '{live}' AND id <> CONNECTION_ID();`

/** The file in a bundle. */
export const mysqlMember = 'mysql.sql.zst'

/** What a database of MariaDB holds: `reach` is the shell that {@link mariadbShell} makes. */
export function mariadbData(reach: (place: Place) => Sh, copy: NonNullable<ServiceData['copy']>): ServiceData {
  const script = (part: (place: Place) => Sh) => (place: Place) => lines(reach(place), part(place))
  // What has nothing to remove must not fail where MariaDB never came.
  const tidy = (part: (place: Place) => Sh) => (place: Place) =>
    sh`
      if command -v mariadb >/dev/null; then
        ${lines(reach(place), part(place))}
      fi
    `
  return {
    member: mysqlMember,
    // Each row stands in a line of its own, between the lines that lock and unlock its table: so rows are counted in the very
    // snapshot that was dumped.
    dump: script(
      () => sh`
      dumper --single-transaction --quick --hex-blob --routines --events --triggers "$live" >"$KRAFT_OUT.sql"
      LC_ALL=C awk ${`
        # What routines and triggers make is none that is dumped.
        /^DELIMITER ;;$/ { code = 1 }
        /^DELIMITER ;$/ { code = 0 }
        !code && /^CREATE TABLE \`/ { table = substr($0, 15); sub(/\` \\($/, "", table); gsub(/\`\`/, "\`", table); rows[table] = 0 }
        /^LOCK TABLES \`/ { inside = 1 }
        /^UNLOCK TABLES;$/ { inside = 0 }
        inside && /^\\(/ { rows[table]++ }
        END { for (table in rows) print "rows." table, rows[table] }`} "$KRAFT_OUT.sql"
      zstd -q -f "$KRAFT_OUT.sql" -o "$KRAFT_OUT"
      rm -f "$KRAFT_OUT.sql"
    `,
    ),
    // As SQL, and that compressed.
    size: script(() =>
      ask("SELECT COALESCE(SUM(data_length), 0) * 2 FROM information_schema.tables WHERE table_schema = '{live}'"),
    ),
    count: script(() => counted('live')),
    // As the instance's own user: a bundle is never root's code. What is dated runs in the live database alone.
    beside: script(
      (place) => sh`
      drop "$beside"
      make "$beside"
      zstd -dcq <"$KRAFT_IN" | ${withoutDefiners} | sql "$beside"
      umask 077
      ${keepObjects('beside', besideObjects(place))}
      statements=$(${ask(removeStatements('beside'))})
      printf '%s\n' "$statements" | sql
    `,
    ),
    countBeside: script(() => counted('beside')),
    copy,
    swap: script(
      (place) => sh`
      # Tables that are there are those that this has moved: so an undo knows whether it has.
      drop "$former"
      make "$former"
      umask 077
      ${keepObjects('live', formerObjects(place))}
      ${exchange(
        [
          ['live', 'former'],
          ['beside', 'live'],
        ],
        besideObjects(place),
      )}
      drop "$beside"
    `,
    ),
    undo: script(
      (place) => sh`
      if [ ! -e ${formerObjects(place)} ]; then exit 0; fi
      # All tables move at once or none: those that were live are where they went, and where there was none, those beside tell.
      had=$(sed -n '1s/^-- tables: //p' ${formerObjects(place)})
      if [ "\${had:-0}" -gt 0 ]; then gone=$(${tablesOf('former')}); else
        gone=1
        if [ "$(${tablesOf('beside')})" -gt 0 ]; then gone=0; fi
      fi
      if [ "$gone" = 0 ]; then
        sql "$live" <${formerObjects(place)}
      else
        make "$beside"
        umask 077
        ${keepObjects('live', besideObjects(place))}
        ${exchange(
          [
            ['live', 'beside'],
            ['former', 'live'],
          ],
          formerObjects(place),
        )}
      fi
      rm -f ${formerObjects(place)}
      drop "$former"
    `,
    ),
    keep: script(
      (place) => sh`
      if [ ! -e ${besideObjects(place)} ]; then exit 0; fi
      make "$former"
      statements=$(${ask(moveStatement([['beside', 'former']]))})
      printf '%s\n' 'SET foreign_key_checks = 0;' "$statements" | sql
      mv -f ${besideObjects(place)} ${formerObjects(place)}
      drop "$beside"
    `,
    ),
    forget: (place) => lines(sh`rm -f ${formerObjects(place)}`, tidy(() => sh`drop "$former"`)(place)),
    discard: (place) => lines(tidy(() => sh`drop "$beside"`)(place), sh`rm -f ${besideObjects(place)}`),
  }
}
