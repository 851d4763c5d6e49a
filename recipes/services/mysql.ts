import { lines, Sh, sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { mariadb, mariadbSocket } from '../mariadb.js'

const beside = ({ name }: Place) => `${name}+beside`
const former = ({ name }: Place) => `${name}+former`
// Root's own: views, triggers, routines and events as SQL, because they can't be moved with the tables that they belong to.
const besideObjects = (place: Place) => `${layout.dumps(place)}/mysql.beside.sql`
const formerObjects = (place: Place) => `${layout.dumps(place)}/mysql.former.sql`

// As the server's root over its socket: no password exists that could leak. It runs nothing that a database or bundle brings.
const admin = (statement: string) => sh`mariadb -NBe ${statement}`
const exists = (database: string) =>
  sh`[ "$(${admin(`SELECT 1 FROM information_schema.schemata WHERE schema_name = '${database}'`)})" = 1 ]`
const make = ({ name }: Place, database: string) =>
  `CREATE DATABASE IF NOT EXISTS \`${database}\` CHARACTER SET utf8mb4; GRANT ALL ON \`${database}\`.* TO '${name}'@'localhost';`
const drop = (database: string) => `DROP DATABASE IF EXISTS \`${database}\`;`

const client = (place: Place, ...words: readonly string[]) =>
  asInstance(place, 'mariadb', '--default-character-set=utf8mb4', '-NB', '--raw', ...words)
const dumper = (place: Place, ...words: readonly string[]) =>
  asInstance(place, 'mariadb-dump', '--default-character-set=utf8mb4', '--no-tablespaces', '--skip-comments', ...words)

const tables = `table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')`
const quoted = (column: string) => `CONCAT('\`', REPLACE(${column}, '\`', '\`\`'), '\`')`

/** A query whose rows are the statements that count. */
const countStatements = (
  database: string,
) => `SELECT CONCAT("SELECT CONCAT('rows.', ", QUOTE(table_name), ", ' ', COUNT(*)) FROM ",
  ${quoted('table_name')}, ';') FROM information_schema.tables WHERE table_schema = '${database}' AND ${tables}`

const counted = (place: Place, database: string) => sh`
  statements=$(${client(place, '-e', countStatements(database))})
  printf '%s\n' "$statements" | ${client(place, database)}
`

const environOf = ({ name }: Place, database: string) => ({
  DATABASE_URL: `mysql://${name}@localhost/${database}?unix_socket=${mariadbSocket}&charset=utf8mb4`,
  MYSQL_UNIX_PORT: mariadbSocket,
  MYSQL_USER: name,
  MYSQL_DATABASE: database,
})

/** The same for statements that remove all that is not a table. */
const removeStatements = (database: string) => {
  const each = (kind: string, from: string, column: string, schema: string, more = '') =>
    `SELECT CONCAT('DROP ', ${kind}, ' \`${database}\`.', ${quoted(column)}, ';') FROM information_schema.${from}
     WHERE ${schema} = '${database}'${more};`
  return [
    each(`'TRIGGER'`, 'triggers', 'trigger_name', 'trigger_schema'),
    each(`'VIEW'`, 'views', 'table_name', 'table_schema'),
    each(`'EVENT'`, 'events', 'event_name', 'event_schema'),
    each('routine_type', 'routines', 'routine_name', 'routine_schema', ` AND routine_type IN ('PROCEDURE', 'FUNCTION')`),
  ].join('\n')
}

/** The same for one statement that moves the tables of databases, all of them or none. */
const moveStatement = (moves: readonly (readonly [from: string, to: string])[]) => {
  const from = moves.map(
    ([database, to], order) => `SELECT ${order} AS step, CONCAT('\`${database}\`.', ${quoted('table_name')}, ' TO \`${to}\`.',
     ${quoted('table_name')}) AS move FROM information_schema.tables
     WHERE table_schema = '${database}' AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')`,
  )
  return `SET group_concat_max_len = 1 << 30;
  SELECT CONCAT('RENAME TABLE ', GROUP_CONCAT(move ORDER BY step SEPARATOR ', '), ';')
  FROM (${from.join(' UNION ALL ')}) AS moves HAVING COUNT(*) > 0;`
}

/** Writes all that is not a table as SQL to a file of root's. */
const keepObjects = (place: Place, database: string, file: string) => sh`
  {
    ${dumper(place, '--no-data', '--no-create-info', '--routines', '--events', '--triggers', '--add-drop-trigger', database)}
    views=$(${client(place, '-e', `SELECT table_name FROM information_schema.views WHERE table_schema = '${database}'`)})
    if [ -n "$views" ]; then
      printf '%s\n' "$views" | ${asInstance(place, 'xargs', '-d', '\\n')} \
        mariadb-dump --default-character-set=utf8mb4 --no-tablespaces --skip-comments --no-data --skip-triggers ${database}
    fi
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
const exchange = (place: Place, moves: Parameters<typeof moveStatement>[0], objects: string) => sh`
  ${admin(`KILL USER '${place.name}'@'localhost'`)} 2>/dev/null || :
  statements=$(printf '%s\n' ${[...moves.map(([from]) => removeStatements(from)), moveStatement(moves)].join('\n')} | ${client(place)})
  printf '%s\n' 'SET lock_wait_timeout = 20; SET foreign_key_checks = 0;' "$statements" | ${client(place)}
  ${client(place, place.name)} <${objects}
`

/** A database of the instance's own; the Linux user is the proof of identity, so there is no password. */
export const service = defineService({
  name: 'mysql',
  doc: "MariaDB: the instance's own database and user, reached over the socket without a password",
  section: {},
  install: () => mariadb(),
  setup: (place) => [
    {
      title: `Database and user ${place.name} of MariaDB`,
      check: sh`
        ${exists(place.name)}
        [ "$(${admin(`SELECT plugin FROM mysql.user WHERE user = '${place.name}' AND host = 'localhost'`)})" = unix_socket ]
      `,
      apply: admin(
        `CREATE USER IF NOT EXISTS '${place.name}'@'localhost' IDENTIFIED VIA unix_socket; ${make(place, place.name)}`,
      ),
    },
  ],
  environ: (place) => environOf(place, place.name),
  data: {
    member: 'mysql.sql.zst',
    // Each row stands in a line of its own, between the lines that lock and unlock its table: so rows are counted in the very
    // snapshot that was dumped.
    dump: (place) => sh`
      ${dumper(place, '--single-transaction', '--quick', '--hex-blob', '--routines', '--events', '--triggers', place.name)} >"$KRAFT_OUT.sql"
      LC_ALL=C awk ${`
        /^CREATE TABLE \`/ { table = substr($0, 15); sub(/\` \\($/, "", table); gsub(/\`\`/, "\`", table); rows[table] = 0 }
        /^LOCK TABLES \`/ { inside = 1 }
        /^UNLOCK TABLES;$/ { inside = 0 }
        inside && /^\\(/ { rows[table]++ }
        END { for (table in rows) print "rows." table, rows[table] }`} "$KRAFT_OUT.sql"
      zstd -q -f "$KRAFT_OUT.sql" -o "$KRAFT_OUT"
      rm -f "$KRAFT_OUT.sql"
    `,
    // As SQL, and that compressed.
    size: ({ name }) =>
      admin(`SELECT COALESCE(SUM(data_length), 0) * 2 FROM information_schema.tables WHERE table_schema = '${name}'`),
    count: (place) => counted(place, place.name),
    // As the instance's own user: a bundle is never root's code. What is dated runs in the live database alone.
    beside: (place) => sh`
      ${admin(`${drop(beside(place))} ${make(place, beside(place))}`)}
      zstd -dcq <"$KRAFT_IN" | ${withoutDefiners} | ${client(place, beside(place))}
      umask 077
      ${keepObjects(place, beside(place), besideObjects(place))}
      statements=$(${client(place, '-e', removeStatements(beside(place)))})
      printf '%s\n' "$statements" | ${client(place)}
    `,
    countBeside: (place) => counted(place, beside(place)),
    copy: (place) => ({ environ: environOf(place, beside(place)), sql: client(place, beside(place)) }),
    swap: (place) => sh`
      ${admin(make(place, former(place)))}
      umask 077
      ${keepObjects(place, place.name, formerObjects(place))}
      ${exchange(
        place,
        [
          [place.name, former(place)],
          [beside(place), place.name],
        ],
        besideObjects(place),
      )}
      ${admin(drop(beside(place)))}
    `,
    undo: (place) => sh`
      if [ ! -e ${formerObjects(place)} ]; then exit 0; fi
      count() { mariadb -NBe "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1'"; }
      # Tables beside that did not move: none did.
      if [ "$(count ${beside(place)})" -gt 0 ]; then
        ${client(place, place.name)} <${formerObjects(place)}
      else
        ${admin(make(place, beside(place)))}
        umask 077
        ${keepObjects(place, place.name, besideObjects(place))}
        ${exchange(
          place,
          [
            [place.name, beside(place)],
            [former(place), place.name],
          ],
          formerObjects(place),
        )}
      fi
      rm -f ${formerObjects(place)}
      ${admin(drop(former(place)))}
    `,
    keep: (place) => sh`
      if [ ! -e ${besideObjects(place)} ]; then exit 0; fi
      ${admin(make(place, former(place)))}
      statements=$(printf '%s\n' ${moveStatement([[beside(place), former(place)]])} | ${client(place)})
      printf '%s\n' 'SET foreign_key_checks = 0;' "$statements" | ${client(place)}
      mv -f ${besideObjects(place)} ${formerObjects(place)}
      ${admin(drop(beside(place)))}
    `,
    forget: (place) =>
      lines(sh`rm -f ${formerObjects(place)}`, sh`if command -v mariadb >/dev/null; then ${admin(drop(former(place)))}; fi`),
    discard: (place) =>
      lines(sh`if command -v mariadb >/dev/null; then ${admin(drop(beside(place)))}; fi`, sh`rm -f ${besideObjects(place)}`),
  },
  shell: ({ name }) => ['mariadb', '--default-character-set=utf8mb4', name],
  door: ({ name }) => ({ at: mariadbSocket, url: (port) => `mysql://${name}@127.0.0.1:${port}/${name}` }),
  facts: ({ name }) =>
    admin(`SELECT CONCAT('version ', SUBSTRING_INDEX(VERSION(), '-', 1));
      SELECT CONCAT('size ', COALESCE(SUM(data_length + index_length), 0)) FROM information_schema.tables WHERE table_schema = '${name}';
      SELECT CONCAT('connections ', COUNT(*)) FROM information_schema.processlist WHERE user = '${name}'`),
  destroy: (place) => [
    {
      title: `Database and user ${place.name} of MariaDB`,
      check: sh`
        if ! command -v mariadb >/dev/null; then exit 0; fi
        [ -z "$(${admin(`SELECT 1 FROM mysql.user WHERE user = '${place.name}'`)})" ] && ! ${exists(place.name)}
      `,
      apply: admin(
        `${[place.name, beside(place), former(place)].map(drop).join(' ')} DROP USER IF EXISTS '${place.name}'@'localhost'`,
      ),
    },
  ],
})
