import { lines, sh } from '../engine/shell/sh.js'
import { mysqlAccess } from '../project/mysql-url.js'
import type { Elsewhere, Place } from '../project/service.js'
import { apt } from './apt.js'
import { accessFiles, addressOf, answers, authorityFile, withAccess } from './elsewhere-access.js'
import { ask, mariadbData, mariadbFacts, mariadbShell, mysqlMember } from './mariadb-bundle.js'
import { mysqlServer } from './mysql-server.js'

type Settings = Readonly<Record<string, unknown>>

const name = 'mysql'

function access(place: Place, settings: Settings) {
  const address = addressOf(settings)
  return address === undefined
    ? { environ: { DATABASE_URL: String(settings.url) }, flags: '' }
    : mysqlAccess(address, authorityFile(place, name, settings))
}

/** MariaDB's own programs take the port and the password from their environment. */
const words = sh`-h "$MYSQL_HOST" -u "$MYSQL_USER" $MYSQL_FLAGS`

/** Root's shell as a client: the instance's own programs and rights, at the address that only root's file has. */
const client = (place: Place) =>
  lines(
    withAccess(place, name),
    mariadbShell(place, {
      live: sh`"$MYSQL_DATABASE"`,
      words,
      make: sh`printf 'CREATE DATABASE IF NOT EXISTS \`%s\` CHARACTER SET utf8mb4;\n' "$1" | sql`,
      drop: sh`printf 'DROP DATABASE IF EXISTS \`%s\`;\n' "$1" | sql`,
      // Its own alone, which needs no more rights than it has.
      end: sh`${ask(`SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist
        WHERE user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND id <> CONNECTION_ID() AND db IN ('{live}', '{beside}', '{former}')`)} |
        while read -r statement; do sql -e "$statement" </dev/null || :; done`,
    }),
  )

const needed = {
  live: ['ALTER', 'CREATE', 'DROP', 'INSERT'],
  beside: ['ALTER', 'CREATE', 'DROP', 'INSERT', 'SELECT'],
  former: ['ALTER', 'CREATE', 'DROP', 'INSERT'],
}

// What a load will do, asked with the rights that it has; nothing is tried. A pattern may name several databases. Rows are what hinders.
const hindrances = Object.entries(needed)
  .map(
    ([
      database,
      rights,
    ]) => `SELECT CONCAT('The user ', CURRENT_USER(), ' may not make, drop and change what is in the database {${database}}.',
      ' Whoever may say so there: GRANT ALL ON \`{${database}}\`.* TO ', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@',
      QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
    FROM (SELECT COUNT(DISTINCT privilege_type) AS found FROM (
      SELECT privilege_type FROM information_schema.user_privileges
      UNION SELECT privilege_type FROM information_schema.schema_privileges WHERE '{${database}}' LIKE table_schema) AS held
    WHERE privilege_type IN (${rights.map((right) => `'${right}'`).join(', ')})) AS counted WHERE found < ${rights.length};`,
  )
  .concat("SELECT 'The server takes no writes' WHERE @@read_only <> 0;")
  .join('\n')

/** MariaDB or MySQL that is reached over the network, with the rights of the user that its address names. */
export const mysqlElsewhere: Elsewhere = {
  install: () => apt('mariadb-client'),
  setup(place, settings) {
    const { environ, flags } = access(place, settings)
    return [
      ...accessFiles(place, name, settings, { ...environ, MYSQL_FLAGS: flags }),
      answers(place, name, { client: client(place), ask: sh`sql "$live" -e 'SELECT 1'`, at: sh`"$MYSQL_HOST"` }),
    ]
  },
  environ: (place, settings) => access(place, settings).environ,
  data: {
    ...mariadbData(client, (place) => ({
      sql: sh`(${client(place)}
      sql "$beside")`,
    })),
    ready: (place) =>
      lines(
        client(place),
        sh`
        hindered=$(${ask(hindrances)})
        if [ -n "$hindered" ]; then
          printf 'A load makes a database beside "%s" and moves the tables of both.\n%s\n' "$live" "$hindered"
          printf 'Or restore it as its provider does, with nothing to take back: tar -xOf FILE %s | zstd -dc | mysql …\n' ${mysqlMember}
          exit 1
        fi
      `,
      ),
  },
  shell: () => ['sh', '-c', `exec mariadb --default-character-set=utf8mb4 ${words.text} "$MYSQL_DATABASE" "$@"`, 'mariadb'],
  door: () => ({
    at: { host: 'MYSQL_HOST', port: 'MYSQL_TCP_PORT', usual: 3306 },
    reads: ['MYSQL_USER', 'MYSQL_DATABASE'],
    password: 'MYSQL_PWD',
    url: (port, { MYSQL_USER = '', MYSQL_DATABASE = '' }) =>
      `mysql://${encodeURIComponent(MYSQL_USER)}@127.0.0.1:${port}/${MYSQL_DATABASE}`,
  }),
  facts: (place) => lines(client(place), ask(mariadbFacts)),
  server: mysqlServer,
}
