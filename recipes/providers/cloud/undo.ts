import { isKraftError, KraftError, summary } from '../../../engine/errors/failure.js'

/** How to take back what was made, and what to say where that fails as well. */
export interface Undo {
  readonly node: string
  progress(line: string): void
  /** Removes whatever was made. */
  remove(): Promise<void>
  /** Makes an error of the provider readable. */
  explain(error: unknown): unknown
  /** How to find what may be left. */
  readonly left: string
}

/** Does the work; if it fails, what was made is removed, and the failure is thrown on. */
export async function undoing<Result>(work: () => Promise<Result>, undo: Undo): Promise<Result> {
  try {
    return await work()
  } catch (reason) {
    undo.progress('Removing what was made')
    await undo.remove().catch((failure: unknown) => {
      const [first, second] = [reason, failure].map((each) => sentence(undo.explain(each)))
      throw new KraftError(
        {
          kind: 'task',
          node: undo.node,
          message: `${first}. And what was made for it could not be removed: ${second}`,
          next: `${undo.left}; the same \`kraft provision\` picks it up.`,
        },
        first,
      )
    })
    throw reason
  }
}

function sentence(error: unknown): string {
  if (isKraftError(error)) return summary(error.failure).replace(/\.$/, '')
  return error instanceof Error ? error.message : String(error)
}
