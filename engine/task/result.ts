/**
 * What a task hands back: text for a person on stdout, or the same as data with `--json`. `next` is the command that most
 * people call after it, shown on a terminal. Secrets are masked in both unless it is `revealed`, because showing one is what was
 * asked for.
 */
export class Result {
  constructor(
    readonly text: string,
    readonly data: unknown,
    readonly next?: string,
    readonly revealed = false,
  ) {}
}

/** The exit code of a command that `run` and `shell` pass on; with `--json` also what it printed, as data that nothing masks. */
export class ExitCode {
  constructor(
    readonly code: number,
    readonly data?: unknown,
  ) {}
}
