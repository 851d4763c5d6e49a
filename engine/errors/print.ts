import { type Failure, isKraftError, summary } from './failure.js'

/**
 * An error as a person reads it: what and where, the last lines of output, what to do next. A stack only with `debug`.
 */
export function printError(error: unknown, options: { readonly debug: boolean; readonly color: boolean }): string {
  const paint = (code: number, text: string) => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text)
  if (!isKraftError(error)) {
    const text = error instanceof Error ? (options.debug ? (error.stack ?? error.message) : error.message) : String(error)
    return `${paint(31, 'error:')} ${text}\n${options.debug ? '' : paint(2, '  --debug shows where it came from\n')}`
  }
  const { failure } = error
  const parts = [`${paint(31, 'error:')} ${summary(failure)}`]
  const output = outputOf(failure)
  if (output !== '') parts.push(...output.split('\n').map((line) => paint(2, `  | ${line}`)))
  if ('next' in failure && failure.next !== undefined) parts.push(`${paint(36, 'next:')}  ${failure.next}`)
  if (options.debug && error.stack !== undefined)
    parts.push(error.stack, ...(error.cause instanceof Error ? [String(error.cause.stack)] : []))
  return `${parts.join('\n')}\n`
}

function outputOf(failure: Failure): string {
  const output = 'output' in failure ? (failure.output ?? '') : ''
  return output.trimEnd().split('\n').slice(-20).join('\n')
}
