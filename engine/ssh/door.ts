import type { SshOptions } from './config.js'
import { Gate } from './gate.js'

/**
 * One process shakes hands with so many nodes at once, at most: their arithmetic is this machine's, and each has a time limit. At a
 * distance most of the time is waiting, so that a fleet of the usual size goes in one round.
 */
const handshakes = new Gate(64)
/** The same for each sshd, which starts to drop at 10 (MaxStartups). */
const doors = new Map<string, Gate>()

/** Shakes hands when it is its turn, on this machine and at that server. */
export function throughDoor<T>({ hostName, port }: Pick<SshOptions, 'hostName' | 'port'>, shake: () => Promise<T>): Promise<T> {
  const name = `${hostName} ${port}`
  const door = doors.get(name) ?? new Gate(8)
  doors.set(name, door)
  // The door first: whoever waits for a crowded sshd takes no place from the others.
  return door.through(() => handshakes.through(shake))
}
