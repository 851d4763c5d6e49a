import { lines, sh } from '../../../engine/shell/sh.js'
import type { Applied } from '../../../engine/step/show.js'
import type { Step } from '../../../engine/step/step.js'

const key = '/etc/ssh/ssh_host_ed25519_key'
/** Where the new key waits, and then the old one until a login has proven the new one. */
const room = '/etc/ssh/kraftwerk-own'

const publicOf = sh`
  public() { ssh-keygen -y -f "$1" | cut -d ' ' -f 1,2; }`

/** Makes the host key that the node shall have, beside the given one that sshd shows, and prints it: `own ssh-ed25519 AAAA…`. */
export function makeOwnKey(given: string): readonly Step[] {
  return [
    {
      title: 'Make a host key of its own',
      quiet: true,
      apply: lines(
        publicOf,
        sh`
          umask 077
          own=${`${room}/key`}
          if [ ! -f "$own" ]; then
            if [ "$(public ${key})" = ${given} ]; then
              rm -rf ${`${room}.new`}
              mkdir ${`${room}.new`}
              ssh-keygen -q -t ed25519 -N '' -C "root@$(hostname)" -f ${`${room}.new/key`}
              sync
              rm -rf ${room}
              mv -T ${`${room}.new`} ${room}
            else
              # An earlier run got further.
              own=${key}
            fi
          fi
          printf 'own %s\n' "$(public "$own")"
        `,
      ),
    },
  ]
}

/** The key that {@link makeOwnKey} printed. */
export function ownKeyIn(applied: Applied): string | undefined {
  const row = applied.output.flat().find((line) => line.startsWith('own ssh-ed25519 '))
  return row?.slice('own '.length)
}

const reload = sh`systemctl try-reload-or-restart ssh.service`

/** Gives sshd the node's own key instead of the given one. Connections that are open stay. */
export function takeOwnKey(): readonly Step[] {
  return [
    {
      title: 'Show that key instead of the one that kraft gave it',
      check: sh`test ! -f ${`${room}/key`}`,
      apply: lines(
        sh`
          sshd -t -h ${`${room}/key`}
          cp -p ${key} ${`${room}/given`}
          # Without its public half sshd goes by the private one: at no moment do they contradict each other.
          rm -f ${`${key}.pub`}
          mv -fT ${`${room}/key`} ${key}
          mv -fT ${`${room}/key.pub`} ${`${key}.pub`}
          chmod 0644 ${`${key}.pub`}
          sync
        `,
        reload,
      ),
    },
  ]
}

/** Gives sshd back the given key, where the own one did not answer. */
export function takeBackGivenKey(): readonly Step[] {
  return [
    {
      title: 'Go back to the host key that kraft gave it',
      check: sh`test ! -f ${`${room}/given`}`,
      apply: lines(
        sh`
          rm -f ${`${key}.pub`}
          mv -fT ${`${room}/given`} ${key}
          ssh-keygen -y -f ${key} >${`${key}.pub`}
        `,
        reload,
      ),
    },
  ]
}

/** Removes what is left of the given key. To be run over a login that the node's own key has proven. */
export function removeGivenKey(): readonly Step[] {
  return [
    {
      title: 'Remove the host key that kraft gave it',
      check: sh`test ! -e ${room} && test -e ${`${key}.pub`}`,
      apply: sh`
        # A power cut may have come between the two halves of the new one.
        if [ ! -e ${`${key}.pub`} ]; then ssh-keygen -y -f ${key} >${`${key}.pub`}; fi
        rm -rf ${room}
      `,
    },
  ]
}
