import { KraftError } from '../engine/errors/failure.js'
import type { Session } from '../engine/task/session.js'

/**
 * Refuses at once what {@link confirmLoss} would have nobody to ask about: before a node is reached or a file is read.
 *
 * @throws KraftError `usage` without a terminal and `--yes`.
 */
export function requireAnswer(session: Session, task: string): void {
  if (session.flags.yes || session.flags.dryRun || session.prompt !== undefined) return
  throw new KraftError({
    kind: 'usage',
    message: `${task} loses data and asks first, and there is no terminal to ask on`,
    next: 'If you mean it, add --yes',
  })
}

/**
 * Asks before data is lost. Without a terminal only `--yes` answers. Throws `interrupted` for a no. An environment marked
 * `live: true` gives the name that has to be typed: a yes is given too quickly.
 */
export async function confirmLoss(session: Session, question: string, typed?: string): Promise<void> {
  if (session.flags.yes || session.flags.dryRun) return
  if (session.prompt === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `${question} There is no terminal to ask on`,
      next: 'If you mean it, add --yes',
    })
  }
  const sure =
    typed === undefined
      ? await session.prompt.confirm(question)
      : (await session.prompt.text(`${question} It is live: type ${typed} to go on`)).trim() === typed
  if (!sure) throw new KraftError({ kind: 'interrupted', message: 'Nothing was changed' })
}
