import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { directory } from './file.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** Where it listens. */
export const mariadbSocket = '/run/mysqld/mysqld.sock'

/** MariaDB, running, on its socket only. */
export function mariadb(): readonly Step[] {
  const folder = '/etc/mysql/mariadb.conf.d'
  return [
    // Before the package, which starts the server.
    ...directory({ path: '/etc/mysql' }),
    ...directory({ path: folder }),
    ...template('services/mariadb.cnf', { to: `${folder}/90-kraftwerk.cnf` }),
    ...apt('mariadb-server', 'mariadb-client'),
    ...running('mariadb.service'),
    {
      title: 'MariaDB listens on its socket only',
      check: sh`test "$(mariadb -NBe 'SELECT @@skip_networking')" = 1`,
      apply: sh`systemctl restart mariadb.service`,
    },
  ]
}
