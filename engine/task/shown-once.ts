import type { Session } from './session.js'

/** A secret that nobody can ask for again, and the sentence that shows it. */
export interface ShownOnce {
  readonly secret: string
  readonly text: string
}

const kept = new WeakMap<Session, ShownOnce[]>()

/**
 * Keeps a secret until kraft ends. Whatever became of the result of the task that made it (a kraftfile called the task, a hook failed
 * behind it), it is shown then, unless a result did so.
 */
export function showOnce(session: Session, secrets: readonly ShownOnce[]): void {
  kept.set(session, [...(kept.get(session) ?? []), ...secrets])
}

/** The sentences whose secrets were not in what was printed. */
export function notShown(session: Session, printed: string): readonly string[] {
  return (kept.get(session) ?? []).filter(({ secret }) => !printed.includes(secret)).map(({ text }) => text)
}
