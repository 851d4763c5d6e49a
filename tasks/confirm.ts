import { KraftError } from '../engine/errors/failure.js'
import type { Session } from '../engine/task/session.js'

/** Asks before data is lost. Without a terminal only `--yes` answers. Throws `interrupted` for a no. */
export async function confirmLoss(session: Session, question: string): Promise<void> {
  if (session.flags.yes || session.flags.dryRun) return
  if (session.prompt === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `${question} There is no terminal to ask on`,
      next: 'If you mean it, add --yes',
    })
  }
  if (!(await session.prompt.confirm(question))) throw new KraftError({ kind: 'interrupted', message: 'Nothing was changed' })
}
