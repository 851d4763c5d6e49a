import { reveal, secret } from '../engine/shell/secret.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { Login } from '../project/protect.js'
import type { Place } from '../project/service.js'
import { directory, file } from './file.js'
import { nginxFolder, nginxUser } from './nginx.js'

/** The file that nginx compares a visitor's password with. */
export function passwordFile({ name }: Place): string {
  return `${nginxFolder}/${name}.htpasswd`
}

/** The file of the login that `protect:` asks for, with nothing but a hash of its password. */
export function passwords(place: Place, login: Login): readonly Step[] {
  return [...directory({ path: nginxFolder }), ...(login.password.hashed ? given(place, login) : hashed(place, login))]
}

function given(place: Place, { user, password }: Login): readonly Step[] {
  const content = secret(`${user}:${reveal(password.value)}\n`, 'protect.password')
  return file({ path: passwordFile(place), content, group: nginxUser, mode: '0640' })
}

// Hashed on the node, where a look at the old hash tells whether it is of this password.
function hashed(place: Place, { user, password }: Login): readonly Step[] {
  const path = passwordFile(place)
  return [
    {
      title: `Password of ${place.name}`,
      files: { password: password.value },
      check: sh`
        test ! -L ${path}
        test "$(stat -c '%U:%G:%a' ${path})" = ${`root:${nginxUser}:640`}
        IFS=: read -r user hash <${path}
        salt=\${hash#'$6$'}
        test "$user" = ${user}
        test "$salt" != "$hash"
        salt=\${salt%%'$'*}
        test "$(openssl passwd -6 -salt "$salt" -stdin <"$KRAFT_STEP/password")" = "$hash"
      `,
      apply: sh`
        umask 077
        new=$(mktemp ${`${path}.XXXXXXXX`})
        trap 'rm -f "$new"' EXIT
        hash=$(openssl passwd -6 -stdin <"$KRAFT_STEP/password")
        printf '%s:%s\n' ${user} "$hash" >"$new"
        chown ${`root:${nginxUser}`} "$new"
        chmod 0640 "$new"
        mv -fT "$new" ${path}
      `,
      diff: sh`echo 'another user or password'`,
    },
  ]
}
