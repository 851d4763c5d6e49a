import { quote } from './sh.js'

/** The variable that tells {@link asRoot}'s text on a node how to become root there, where plain `sudo -n` is not enough. */
export const sudoVariable = 'KRAFT_SUDO'

/**
 * Puts a command line behind sudo where the login is not root. By itself it never asks, for a prompt would eat the script's
 * stream; engine/ssh/sudo.ts sees to it that a password is there where one is wanted.
 *
 * @example asRoot('admin', 'id -u') // runs `sudo -n -- sh -c 'id -u'`
 */
export function asRoot(user: string, command: string): string {
  return user === 'root' ? `sh -c ${quote(command)}` : `sh -c ${quote(become)} ${quote(command)}`
}

const become = `if [ -n "\${${sudoVariable}-}" ]; then eval "$${sudoVariable}"; else exec sudo -n -- sh -c "$0"; fi`
