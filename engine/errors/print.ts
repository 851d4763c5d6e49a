import { explain } from './explain.js'
import { type Failure, summary } from './failure.js'

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
  const failure = explain(error)?.failure ?? unknown(error)
  const each = failure.kind === 'several' ? failure.failed.map((ended) => printError(ended.error, options)).join('') : ''
  const parts = [`${paint(31, 'error:')} ${summary(failure)}`]
  const output = outputOf(failure)
  if (output !== '') parts.push(...output.split('\n').map((line) => paint(2, `  | ${line}`)))
  if ('next' in failure && failure.next !== undefined) parts.push(`${paint(36, 'next:')}  ${failure.next}`)
  if (options.debug) parts.push(...stacks(error))
  else if (isUnplanned(error)) parts.push(paint(2, '  --debug shows where it came from'))
  return `${each}${parts.join('\n')}\n`
}

function unknown(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: 'task', message: `Something was thrown that is not an Error: ${String(error)}` }
  return { kind: 'task', message: error.message === '' ? error.name : error.message }
}

function isUnplanned(error: unknown): boolean {
  const kind = explain(error)?.failure.kind
  return error instanceof Error && (kind === undefined || kind === 'code')
}

function stacks(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  return [error.stack ?? '', ...stacks(error.cause)]
}

function outputOf(failure: Failure): string {
  const output = 'output' in failure ? (failure.output ?? '') : ''
  return output.trimEnd().split('\n').slice(-20).join('\n')
}
