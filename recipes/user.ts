import { KraftError } from '../engine/errors/failure.js'
import { sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'

/**
 * A system group.
 *
 * @throws KraftError where the name can't be that of a group.
 * @example group('web')
 */
export function group(name: string): readonly Step[] {
  valid(name)
  return [{ title: `Group ${name}`, check: sh`getent group ${name} >/dev/null`, apply: sh`groupadd --system ${name}` }]
}

/** What {@link systemUser} is given. */
export interface UserOptions {
  /** Of the user. */
  readonly name: string
  /** The home directory, which is not made: `directory` does that. */
  readonly home: string
  /** The primary group; one of the same name if left out. It is made if it is missing. */
  readonly group?: string
  /** `/usr/sbin/nologin` if left out. */
  readonly shell?: string
}

/**
 * A system user without a password, with its group, home and shell.
 *
 * @throws KraftError where a name can't be that of a user or group.
 * @example systemUser({ name: 'web', home: '/web' })
 */
export function systemUser({ name, home, group: primary = name, shell = '/usr/sbin/nologin' }: UserOptions): readonly Step[] {
  valid(name)
  return [
    ...group(primary),
    {
      title: `User ${name}`,
      check: sh`test "$(getent passwd ${name} | cut -d: -f6,7)" = ${`${home}:${shell}`} && test "$(id -gn ${name})" = ${primary}`,
      apply: sh`
        if getent passwd ${name} >/dev/null
        then usermod --home ${home} --shell ${shell} --gid ${primary} ${name}
        else useradd --system --no-create-home --home-dir ${home} --shell ${shell} --gid ${primary} ${name}
        fi
      `,
    },
  ]
}

/**
 * A user among the members of a group. Programs that run already learn of it when they start again: notify what starts them.
 *
 * @throws KraftError where a name can't be that of a user or group.
 * @example member({ user: 'www-data', group: 'calculator', notify: [restartNginx] })
 */
export function member(given: {
  readonly user: string
  readonly group: string
  readonly notify?: readonly Handler[]
}): readonly Step[] {
  valid(given.user)
  valid(given.group)
  return [
    {
      title: `User ${given.user} in group ${given.group}`,
      check: sh`id -nG ${given.user} | tr ' ' '\n' | grep -qxF ${given.group}`,
      apply: sh`usermod --append --groups ${given.group} ${given.user}`,
      ...(given.notify === undefined ? {} : { notify: given.notify }),
    },
  ]
}

function valid(name: string): void {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return
  throw new KraftError({
    kind: 'task',
    message: `"${name}" can't be the name of a user or group`,
    next: 'Use up to 32 small letters, digits, "-" and "_", beginning with a letter',
  })
}
