import { KraftError } from '../engine/errors/failure.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { cronTable } from './cron.js'
import { absent, directory } from './file.js'
import { nginxUser, reloadNginx } from './nginx.js'
import { cacheFolder } from './page-cache.js'
import { patienceOf } from './processes.js'
import { passwordFile } from './protect.js'
import { endService } from './runit.js'
import { template } from './template.js'
import { member, systemUser } from './user.js'

/**
 * The node's record that a name belongs to one project and environment. First of all steps of a deploy: anyone else stops here.
 *
 * @example claim(place, 'calculator stage')
 */
export function claim(place: Place, owner: string): readonly Step[] {
  const path = `${layout.settings(place)}/owner`
  return [
    {
      title: `${place.name} belongs to this project`,
      check: sh`
        if [ -e ${path} ]; then test "$(cat ${path})" = ${owner}; exit; fi
        exit 1
      `,
      apply: sh`
        if [ -e ${path} ]; then
          printf '%s belongs to another project or environment on this node: "%s" (this is "%s")\n' ${place.name} "$(cat ${path})" ${owner}
          printf 'Give this one a name of its own in kraftwerk.yaml, for example:  name: %s-2\n' ${place.name}
          exit 1
        fi
        if getent passwd ${place.name} >/dev/null || [ -e ${place.home} ]; then
          printf 'The node has a user or folder called %s that kraft did not make\n' ${place.name}
          printf 'Give this project another name in kraftwerk.yaml, for example:  name: %s-2\n' ${place.name}
          exit 1
        fi
        install -d -m 0755 /etc/kraftwerk
        install -d -m 0700 ${layout.settings(place)}
        printf '%s\n' ${owner} >${`${path}.new`}
        mv -f ${`${path}.new`} ${path}
      `,
    },
  ]
}

/** Whom the instance is on a node, also where it has nothing but data. */
export function instanceUser(place: Place): readonly Step[] {
  return systemUser({ name: place.name, home: layout.userHome(place), group: place.name, shell: '/bin/bash' })
}

/** The logs of an instance, by their names in its folder; a name may be a pattern of the shell. */
export interface Logs {
  /** Written by way of {@link layout.logger}, which follows a rename. */
  readonly stamped: readonly string[]
  /** Written by programs that keep the file open. */
  readonly open: readonly string[]
}

/** User, group and folders of an instance. Code, logs and links are root's; only uploads, shared and home are the application's. */
export function instance(place: Place): readonly Step[] {
  const { name, home } = place
  const own = { owner: name, group: name, mode: '0750' }
  return [
    ...instanceUser(place),
    ...systemUser({ name: layout.builder(place), home: layout.builderHome(place), group: name }),
    ...member({ user: nginxUser, group: name, notify: [reloadNginx] }),
    ...directory({ path: home, group: name, mode: '0750' }),
    ...['releases', 'log'].flatMap((folder) => directory({ path: `${home}/${folder}`, group: name, mode: '0750' })),
    ...directory({ path: layout.dumps(place), mode: '0700' }),
    ...directory({ path: `${home}/venvs`, group: name, mode: '2750' }),
    // It inherits the group's bit from the folder that it is in.
    ...directory({ path: layout.builderHome(place), owner: layout.builder(place), group: name, mode: '2700' }),
    ...directory({ path: layout.userHome(place), ...own, mode: '0700' }),
    ...directory({ path: layout.shared(place), ...own }),
    ...generated(place),
    ...template('instance/enter.sh', { to: `${layout.settings(place)}/enter`, mode: '0700', vars: { place, layout } }),
    ...template('instance/log.py', { to: layout.logger(place), mode: '0700', vars: {} }),
  ]
}

/** Keeps the logs of an instance small. */
export function logRotation(place: Place, logs: Logs): readonly Step[] {
  return template('instance/logrotate.conf', { to: `/etc/logrotate.d/kraftwerk-${place.name}`, vars: { place, layout, ...logs } })
}

// Made on the node and never leaves it.
function generated(place: Place): readonly Step[] {
  const path = `${layout.settings(place)}/generated`
  return [
    {
      title: `Secret key of ${place.name}`,
      check: sh`test -s ${path}`,
      apply: sh`
        umask 077
        printf "SECRET_KEY='%s'\n" "$(head -c 64 /dev/urandom | base64 -w 0 | tr -d '+/=' | cut -c 1-64)" >${`${path}.new`}
        mv -f ${`${path}.new`} ${path}
      `,
    },
  ]
}

/** Paths that outlive releases, as links from a release; what the release brings is the first content. */
export function shared(place: Place, release: string, paths: readonly string[]): readonly Step[] {
  return paths.map((path) => {
    const kept = `${layout.shared(place)}/${path}`
    const inside = `${layout.release(place, release)}/${path}`
    return {
      title: `Shared ${path}`,
      check: sh`test "$(readlink ${inside})" = ${kept}`,
      // As the instance's user, because the folder is one that the application can write.
      apply: sh`
        mkdir -p ${parent(inside)}
        setpriv --reuid ${place.name} --regid ${place.name} --init-groups sh -c '
          umask 027
          if [ ! -e "$1" ] && [ ! -L "$1" ]; then
            mkdir -p "$(dirname "$1")"
            if [ -d "$2" ]; then mkdir -p "$1"; cp -R "$2/." "$1/"
            elif [ -e "$2" ]; then cp "$2" "$1"
            else
              # To SQLite an empty file is an empty database; a folder would be in its way.
              case "$1" in *.sqlite3 | *.sqlite | *.db) : >"$1" ;; *) mkdir -p "$1" ;; esac
            fi
          fi' sh ${kept} ${inside}
        rm -rf ${inside}
        ln -s ${kept} ${inside}
        # nginx follows a link only to what belongs to the link's own owner.
        chown -h ${place.name} ${inside}
      `,
    }
  })
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** `/web/NAME/PACKAGE`, through which nginx finds the package's static files in whatever release is current. */
export function packageLink(place: Place, name: string | undefined, src: string | undefined): readonly Step[] {
  if (name === undefined) return []
  const taken = [
    'releases',
    'current',
    'former',
    'venvs',
    'uploads',
    'shared',
    'dump',
    'log',
    'home',
    'challenge',
    'postgres',
    'redis',
    'sqlite',
  ]
  if (taken.includes(name)) {
    throw new KraftError({
      kind: 'task',
      message: `The package cannot be called "${name}": that is a folder of every instance on a node`,
      next: `Taken are ${taken.join(', ')}`,
    })
  }
  const to = ['current', src, name].filter((part) => part !== undefined).join('/')
  return [
    {
      title: `Link ${place.home}/${name}`,
      check: sh`test "$(readlink ${`${place.home}/${name}`})" = ${to}`,
      apply: sh`ln -sfnT ${to} ${`${place.home}/${name}`}`,
    },
  ]
}

/** Everything of an instance but its services: processes, site, user, folders. */
export function removeInstance(place: Place): readonly Step[] {
  const { name, home } = place
  return [
    {
      title: `Processes of ${name}`,
      check: sh`test -z "$(ls -d /etc/service/${name}.* /etc/sv/${name}.* ${cronTable(place)} 2>/dev/null)"`,
      apply: sh`
        rm -f /run/web/.trial/${name}.* ${cronTable(place)}
        for service in /etc/sv/${name}.*; do
          [ -e "$service" ] || continue
          service=\${service##*/}
          ${endService(patienceOf(35))}
        done
        rm -f ${layout.ends}/${name}.* /run/web/.cron/${name}.*
      `,
    },
    {
      title: `Site of ${name}`,
      check: sh`test ! -e ${`/etc/nginx/sites-enabled/${name}.conf`}`,
      apply: sh`rm -f ${`/etc/nginx/sites-enabled/${name}.conf`}`,
      notify: [reloadNginx],
    },
    ...absent(cacheFolder(place)),
    ...absent(passwordFile(place)),
    {
      title: `User, code and files of ${name}`,
      check: sh`! getent passwd ${name} >/dev/null && ! getent passwd ${layout.builder(place)} >/dev/null && test ! -e ${home} && test ! -e ${layout.settings(place)}`,
      apply: sh`
        pkill -KILL -u ${name} || :
        pkill -KILL -u ${layout.builder(place)} || :
        rm -rf --one-file-system ${home} ${layout.sockets(place)} /run/web/.trial/${name}.* /run/web/.out/${name}
        rm -f ${`/etc/logrotate.d/kraftwerk-${name}`}
        if getent group ${name} >/dev/null; then gpasswd --delete ${nginxUser} ${name} >/dev/null 2>&1 || :; fi
        for user in ${layout.builder(place)} ${name}; do
          if getent passwd "$user" >/dev/null; then userdel "$user"; fi
        done
        if getent group ${name} >/dev/null; then groupdel ${name}; fi
        rm -rf ${layout.settings(place)}
      `,
    },
  ]
}
