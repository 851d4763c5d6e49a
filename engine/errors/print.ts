import { causes, explain } from './explain.js'
import { type Failure, summary } from './failure.js'
import { messageOf } from './message-of.js'

/** How errors are printed. */
export interface PrintOptions {
  /** With stack traces. */
  readonly debug: boolean
  readonly color: boolean
}

/**
 * An error as a person reads it: what and where, the last lines of output, what to do next. Of several, each, and at the end
 * which failed and which did not. A stack only with `debug`.
 */
export function printError(error: unknown, options: PrintOptions): string {
  const paint = (code: number, text: string) => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text)
  const failure: Failure = explain(error)?.failure ?? { kind: 'task', message: messageOf(error) }
  const each = failure.kind === 'several' ? failure.failed.map((ended) => printError(ended.error, options)).join('') : ''
  const parts = [`${paint(31, 'error:')} ${summary(failure)}`]
  if (failure.kind === 'step' && failure.at !== undefined) {
    parts.push(paint(2, `  at line ${failure.at.line} of its script: ${shorten(failure.at.text)}`))
  }
  const output = outputOf(failure)
  if (output !== '') parts.push(...output.split('\n').map((line) => paint(2, `  | ${shorten(line, 1000)}`)))
  const next = nextOf(failure)
  if (next !== undefined) parts.push(`${paint(36, 'next:')}  ${next}`)
  if (options.debug) parts.push(...stacks(error))
  else if (isUnplanned(error)) parts.push(paint(2, '  --debug shows where it came from'))
  return `${each}${parts.join('\n')}\n`
}

function isUnplanned(error: unknown): boolean {
  const kind = explain(error)?.failure.kind
  return error instanceof Error && (kind === undefined || kind === 'code')
}

function stacks(error: unknown): string[] {
  return [...causes(error)].map(({ stack }) => stack ?? '')
}

// A command can be a page of text, and a line of output all of a program: the beginning tells which it is.
function shorten(text: string, most = 160): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

function nextOf(failure: Failure): string | undefined {
  if ('next' in failure && failure.next !== undefined) return failure.next
  if (failure.kind !== 'step' || failure.left === undefined) return undefined
  const left =
    failure.left === 0
      ? ''
      : failure.left === 1
        ? 'The step after it did not run. '
        : `The ${failure.left} steps after it did not run. `
  return `${left}Correct the cause and run the same command again: what is done stays done`
}

function outputOf(failure: Failure): string {
  const output = 'output' in failure ? (failure.output ?? '') : ''
  return output.trimEnd().split('\n').slice(-20).join('\n')
}
