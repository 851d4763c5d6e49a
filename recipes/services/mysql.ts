import { lines, sh } from '../../engine/shell/sh.js'
import { mysqlUrlProblem } from '../../project/mysql-url.js'
import { defineService, type Place } from '../../project/service.js'
import { elsewhereSection } from '../elsewhere-section.js'
import { mariadb, mariadbSocket } from '../mariadb.js'
import { ask, mariadbData, mariadbFacts, mariadbShell } from '../mariadb-bundle.js'
import { mysqlElsewhere } from '../mysql-elsewhere.js'
import { noMysqlServer } from '../mysql-server.js'

const beside = ({ name }: Place) => `${name}+beside`
const former = ({ name }: Place) => `${name}+former`

// As the server's root over its socket: no password exists that could leak. It runs nothing that a database or bundle brings.
const admin = (statement: string) => sh`mariadb -NBe ${statement}`
const exists = (database: string) =>
  sh`[ "$(${admin(`SELECT 1 FROM information_schema.schemata WHERE schema_name = '${database}'`)})" = 1 ]`
const make = ({ name }: Place, database: string) =>
  `CREATE DATABASE IF NOT EXISTS \`${database}\` CHARACTER SET utf8mb4; GRANT ALL ON \`${database}\`.* TO '${name}'@'localhost';`
const drop = (database: string) => `DROP DATABASE IF EXISTS \`${database}\`;`

const reach = (place: Place) => {
  const as = (text: string) => sh`printf '%s\n' ${text} | sed "s/{}/$1/g" | mariadb -NB`
  return mariadbShell(place, {
    live: sh`${place.name}`,
    words: sh``,
    make: as(make(place, '{}')),
    drop: as(drop('{}')),
    end: admin(`KILL USER '${place.name}'@'localhost'`),
  })
}

const environOf = ({ name }: Place, database: string) => ({
  DATABASE_URL: `mysql://${name}@localhost/${database}?unix_socket=${mariadbSocket}&charset=utf8mb4`,
  MYSQL_UNIX_PORT: mariadbSocket,
  MYSQL_USER: name,
  MYSQL_DATABASE: database,
})

const overTcp = (user: string, database: string, port: number) => ({
  DATABASE_URL: `mysql://${user}@127.0.0.1:${port}/${database}?charset=utf8mb4`,
  MYSQL_HOST: '127.0.0.1',
  MYSQL_TCP_PORT: String(port),
  MYSQL_USER: user,
  MYSQL_DATABASE: database,
})

/** A database of the instance's own; the Linux user is the proof of identity, so there is no password. */
export const service = defineService({
  name: 'mysql',
  doc: "MariaDB: the instance's own database and user, reached over the socket without a password",
  section: elsewhereSection('mysql', mysqlUrlProblem),
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
  elsewhere: mysqlElsewhere,
  data: mariadbData(reach, (place) => ({
    environ: environOf(place, beside(place)),
    sql: sh`(${reach(place)}
      sql "$beside")`,
  })),
  shell: ({ name }) => ['mariadb', '--default-character-set=utf8mb4', name],
  door: ({ name }) => ({
    at: mariadbSocket,
    url: (port) => `mysql://${name}@127.0.0.1:${port}/${name}`,
    environ: (port) => overTcp(name, name, port),
  }),
  here: ({ name, user }) => [
    {
      what: `the database ${name} at ${mariadbSocket} of this machine`,
      at: mariadbSocket,
      proof: ['mariadb', '-NB', '-u', user, '-S', mariadbSocket, name, '-e', 'SELECT 1'],
      environ: {
        DATABASE_URL: `mysql://${user}@localhost/${name}?unix_socket=${mariadbSocket}&charset=utf8mb4`,
        MYSQL_UNIX_PORT: mariadbSocket,
        MYSQL_USER: user,
        MYSQL_DATABASE: name,
      },
    },
  ],
  facts: (place) => lines(reach(place), ask(mariadbFacts)),
  destroy: (place) => [
    ...noMysqlServer(place),
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
