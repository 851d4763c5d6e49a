import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place, ServiceServer } from '../project/service.js'
import { mariadbListens, mariadbTls } from './mariadb.js'
import { isCertificateOf, letIn, makeCertificate, makePassword, printAccess, readAccess } from './serve-others.js'
import { noServicePort, servicePort } from './service-ports.js'

const name = 'mysql'
const port = 3306
const { key, file } = mariadbTls
const crt = sh`${file}`

// An account is a name and the address that it comes from.
const others = ({ name }: Place) => `user = '${name}' AND host <> 'localhost'`
const remove = (place: Place) => sh`
  mariadb -NBe ${`SELECT CONCAT('DROP USER ', QUOTE(user), '@', QUOTE(host), ';') FROM mysql.user WHERE ${others(place)}`} | mariadb
`

/** MariaDB for other nodes: over TLS, with a password, from their addresses alone. */
export const mysqlServer: ServiceServer = {
  setup: (place, _settings, { address, clients }) => [
    certificate(address),
    accounts(place, clients),
    ...servicePort(place, name, port, clients),
    mariadbListens(),
  ],
  access: (place) => printAccess(place, name, crt),
  read: (printed, place, address) =>
    readAccess(printed, 'DATABASE_URL', address, `mysql://${place.name}:PASSWORD@HOST:${port}/${place.name}`),
}

/** Nobody comes from other nodes any more. */
export function noMysqlServer(place: Place): readonly Step[] {
  const clients = layout.clients(place, name)
  const listens = mariadbListens()
  return [
    {
      title: `No other node reaches the database of ${place.name} in MariaDB`,
      files: listens.files ?? {},
      check: sh`test ! -e ${clients}`,
      apply: sh`
        ${remove(place)}
        rm -f ${clients} ${layout.password(place, name)}
        if ! (${listens.check ?? sh`false`}); then
          ${listens.apply}
        fi
      `,
    },
    noServicePort(place, name),
  ]
}

function certificate(address: string): Step {
  return {
    title: `MariaDB proves that it is ${address}`,
    check: isCertificateOf(address, crt),
    apply: lines(
      makeCertificate(address, { key: sh`${key}`, file: crt, owner: 'mysql' }),
      sh`if [ "$(mariadb -NBe 'SELECT @@have_ssl')" = YES ]; then mariadb -e 'FLUSH SSL'; fi`,
    ),
  }
}

function accounts(place: Place, addresses: readonly string[]): Step {
  const databases = [place.name, `${place.name}+beside`, `${place.name}+former`]
  const make = addresses.flatMap((address) => {
    const account = `'${place.name}'@'${address}'`
    return [
      `CREATE USER ${account} IDENTIFIED BY '{}' REQUIRE SSL;`,
      ...databases.map((database) => `GRANT ALL ON \`${database}\`.* TO ${account};`),
    ]
  })
  return letIn(place, name, addresses, {
    files: {
      hosts: [...addresses]
        .sort()
        .map((each) => `${each}\n`)
        .join(''),
    },
    check: sh`
      test -s ${layout.password(place, name)}
      mariadb -NBe ${`SELECT host FROM mysql.user WHERE ${others(place)}`} | LC_ALL=C sort | cmp -s - "$KRAFT_STEP/hosts"
      [ "$(mariadb -NBe ${`SELECT COUNT(*) FROM mysql.db WHERE ${others(place)}`})" = ${addresses.length * databases.length} ]
    `,
    // By its standard input alone: no argument shows the password.
    apply: lines(
      makePassword(place, name),
      remove(place),
      sh`printf '%s\n' ${make.join('\n')} | sed "s/{}/$(cat ${layout.password(place, name)})/" | mariadb`,
    ),
  })
}
