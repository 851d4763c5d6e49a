import { explain } from '../engine/errors/explain.js'
import type { Session } from '../engine/task/session.js'

/**
 * Work that undoes itself where it is interrupted, as making a machine does: kraft waits for that before it ends, because what it
 * leaves behind costs money. A second Ctrl-C does not wait.
 *
 * @example const record = await orUndone(session, (signal) => provider.create({ name, signal, … }))
 */
export async function orUndone<T>(session: Session, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { ended, report } = session
  let isCut = false
  const cut = () => {
    isCut = true
    report.note('Undoing what was begun; Ctrl-C again ends kraft at once and leaves it')
  }
  ended.addEventListener('abort', cut, { once: true })
  const working = work(ended).finally(() => ended.removeEventListener('abort', cut))
  session.onEnd(async () => {
    await working.catch((error: unknown) => {
      // What could not be undone is nobody else's to tell.
      if (isCut && explain(error)?.failure.kind !== 'interrupted') throw error
    })
  })
  return working
}
