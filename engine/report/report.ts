/** One line of the list that a person sees while kraft works. */
export interface Item {
  readonly title: string
  run(line: Line): Promise<void> | void
  /** Say so and go on where this one fails; the whole list still fails at its end. */
  readonly continue?: boolean
}

/** What a running {@link Item} can say. */
export interface Line {
  /** Replaces the title. */
  title(text: string): void
  /** A line of output; the terminal shows the last few below the title. */
  output(text: string): void
  /** Ends the line as passed over, with the reason. */
  skip(reason: string): void
  /** Shows a list below this line and runs it: one after the other, or all at once. The first failure is thrown. */
  list(items: readonly Item[], options?: { readonly concurrent?: boolean | number }): Promise<void>
}

/**
 * Shows lists of work while they run: engine/report/terminal.ts with listr2 on a terminal, plain.ts without one, events.ts
 * for programs. All of it goes to stderr; results go to stdout.
 */
export interface Report {
  /** Runs a list and shows it. */
  list(items: readonly Item[], options?: { readonly concurrent?: boolean | number }): Promise<void>
  /** One line that stays, outside any list. */
  note(text: string): void
}
