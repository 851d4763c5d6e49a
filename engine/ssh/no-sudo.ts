import { KraftError } from '../errors/failure.js'
import type { Connection } from './connection.js'

/** Whether sudo says that it wants a password. */
export function wantsPassword(said: string): boolean {
  return /sudo:.*(password is required|terminal is required|no tty present|no askpass)/.test(said)
}

/** Whether sudo let nobody in: it wants a password, or the login may not use it, or it is not there. */
export function sudoRefused(said: string): boolean {
  return wantsPassword(said) || /is not in the sudoers|sudo:.* must have a tty|sudo: (command )?not found/.test(said)
}

/** The error for a login that may not become root. */
export function noSudo({ node, user }: Connection, said: string): KraftError {
  return new KraftError({
    kind: 'task',
    node,
    message: `${user} may not use sudo${wantsPassword(said) ? ' without a password' : ''} there`,
    output: said,
    next: `Log in as root, or give ${user} the line "${user} ALL=(ALL) NOPASSWD:ALL" in /etc/sudoers.d`,
  })
}
