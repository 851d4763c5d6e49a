import { errorData } from '../errors/data.js'
import { printError } from '../errors/print.js'
import { hasColors } from '../report/abilities.js'
import { redact, redactData } from '../shell/redact.js'

/** How an error is shown. */
export interface ShowErrorOptions {
  readonly debug: boolean
  /** One JSON line, as whoever reads events expects. */
  readonly events: boolean
  /** What kraft is going to exit with. */
  readonly code: number
}

/** Prints what kraft ends with on stderr, without secrets. */
export function showError(error: unknown, { debug, events, code }: ShowErrorOptions): void {
  const color = hasColors(process.stderr)
  const stack = debug && error instanceof Error ? { stack: error.stack } : {}
  const text = events
    ? `${JSON.stringify(redactData({ event: 'error', code, ...errorData(error), ...stack }))}\n`
    : redact(printError(error, { debug, color }))
  process.stderr.write(text)
}
