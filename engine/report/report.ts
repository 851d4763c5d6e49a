import type { NodeEnd } from './node-summary.js'

/** One line of the list that a person sees while kraft works. */
export interface Item {
  /** What people read of it. */
  readonly title: string
  /** The work; it says how far it is by its line. */
  run(line: Line): Promise<void> | void
  /** The rest does not rely on it: where it fails they run all the same, and the list ends with who failed and who did not. */
  readonly continue?: boolean
}

/** How a step ended, in a word behind its title; `ok` has none, and plain lines leave it out. */
export type Mark = 'ok' | 'changed' | 'done' | 'would change' | 'would run' | 'maybe'

/** What a running {@link Item} can say. */
export interface Line {
  /** Replaces the title, and marks it where a step says how it ended. */
  title(text: string, mark?: Mark): void
  /**
   * A line of output; the terminal shows the last few below the title. A `detail` is worth reading only while it runs or where
   * it fails (what apt says), and plain lines leave it out. A `diff` is a line of one, coloured where there are colours.
   */
  output(text: string, kind?: 'detail' | 'diff'): void
  /** How far a transfer is: the terminal shows it on the running line, plain lines every few seconds, events each time. */
  progress?(at: Progress): void
  /** Ends the line as passed over, with the reason. */
  skip(reason: string): void
  /** Shows a list below this line and runs it. The first failure is thrown. */
  list(items: readonly Item[], options?: ListOptions): Promise<void>
}

/** How far a transfer is. */
export interface Progress {
  /** Bytes that went through so far. */
  readonly done: number
  /** Bytes in all, where that is known. */
  readonly total: number | undefined
  /** Bytes a second, over the last few seconds. */
  readonly rate: number
  /** Seconds that the rest will take at this rate. */
  readonly remaining: number | undefined
}

/** How a list is run and shown. */
export interface ListOptions {
  /** All at once, or so many; else one after the other. */
  readonly concurrent?: boolean | number
  /** A terminal shows it only while it runs, and what failed in it. */
  readonly brief?: boolean
}

/**
 * Shows lists of work while they run: engine/report/terminal.ts with listr2 on a terminal, plain.ts without one, events.ts
 * for programs. All of it goes to stderr; results go to stdout.
 */
export interface Report {
  /** Runs a list and shows it. */
  list(items: readonly Item[], options?: ListOptions): Promise<void>
  /** One line that stays, outside any list. */
  note(text: string): void
  /** Says at the end how each of several nodes ended. */
  nodes(ends: readonly NodeEnd[], how: { readonly dryRun: boolean }): void
  /** Leaves the terminal to something else, for example a question, until that is done. */
  aside<T>(other: () => Promise<T>): Promise<T>
  /** Draws no more and gives the terminal back, because kraft ends before its lists do. */
  stop(): void
}

/** A title with its mark, as text. */
export function marked(title: string, mark: Mark | undefined): string {
  return mark === undefined || mark === 'ok' ? title : `${title} (${mark})`
}
