import type { Session } from '../engine/task/session.js'

const moves = new WeakSet<Session>()

/** This call of kraft moves an instance: to a node that it has left once, which passes on what comes there until the switch. */
export function beginMove(session: Session): void {
  moves.add(session)
}

export function isMove(session: Session): boolean {
  return moves.has(session)
}
