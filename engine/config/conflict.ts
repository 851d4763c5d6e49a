/** What a merge that was not finished leaves in a file: where it begins, and what to do. */
export interface Conflict {
  readonly at: number
  readonly message: string
  readonly next: string
}

/**
 * The first mark that git has left in a text, if there is one. Ask where a text can't be read: a line of equals signs alone can be
 * what somebody meant.
 */
export function conflictIn(text: string): Conflict | undefined {
  const begin = /^<{7} .*$/m.exec(text)
  if (begin === null || !/^>{7} /m.test(text)) return undefined
  return {
    at: begin.index,
    message: 'Here begins a conflict of a merge that was not finished',
    next: 'Keep one of the two sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>',
  }
}
