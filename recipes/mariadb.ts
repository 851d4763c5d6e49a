import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { directory } from './file.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** Where it listens. */
export const mariadbSocket = '/run/mysqld/mysqld.sock'

const folder = '/etc/mysql/mariadb.conf.d'
const network = `${folder}/91-kraftwerk-network.cnf`

/** By what it proves who it is, where it serves other nodes. */
export const mariadbTls = { key: '/etc/mysql/kraftwerk.key', file: '/etc/mysql/kraftwerk.crt' } as const

/** MariaDB, running, on its socket only unless it serves other nodes. */
export function mariadb(): readonly Step[] {
  return [
    // Before the package, which starts the server.
    ...directory({ path: '/etc/mysql' }),
    ...directory({ path: folder }),
    ...template('services/mariadb.cnf', { to: `${folder}/90-kraftwerk.cnf` }),
    ...apt('mariadb-server', 'mariadb-client'),
    ...running('mariadb.service'),
    mariadbListens(),
  ]
}

// Somebody on another node has a database here.
const wanted = sh`
  wanted=1
  for each in /etc/kraftwerk/*/mysql.clients; do
    if [ -e "$each" ]; then wanted=0; fi
  done
`

/** Where it listens: on no network unless a node with the role db serves others, which its firewall and its accounts then choose. */
export function mariadbListens(): Step {
  const { key, file } = mariadbTls
  return {
    title: 'MariaDB listens on its socket only, but for nodes that it serves',
    files: {
      network: `# Written by kraft while other nodes are served.\n[mariadbd]\nskip-networking = 0\nskip-name-resolve\nbind-address = *\nssl_key = ${key}\nssl_cert = ${file}\n`,
    },
    check: lines(
      wanted,
      sh`
      if [ "$wanted" = 1 ]; then test ! -e ${network}; else cmp -s "$KRAFT_STEP/network" ${network}; fi
      test "$(mariadb -NBe 'SELECT @@skip_networking')" = "$wanted"
    `,
    ),
    apply: lines(
      wanted,
      sh`
      rm -f ${network}
      if [ "$wanted" = 0 ]; then
        cat "$KRAFT_STEP/network" >${network}
        chmod 0644 ${network}
      fi
      systemctl restart mariadb.service
    `,
    ),
    diff: lines(wanted, sh`echo "skip_networking = $wanted"`),
  }
}
