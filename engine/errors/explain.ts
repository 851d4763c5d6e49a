import { isKraftError, KraftError } from './failure.js'
import { messageOf } from './message-of.js'
import { thrownAt } from './thrown-at.js'

const mark = Symbol.for('kraftwerk.command')

/** What is known of a command that zx ran: zx's own error tells neither. */
export interface Command {
  /** The node's name, or `this machine`. */
  readonly where: string
  readonly command: string
}

/** Remembers on zx's output of a command what it was, for {@link explain}. */
export function noteCommand(output: object, command: Command): void {
  Object.defineProperty(output, mark, { value: command, configurable: true })
}

/**
 * An error as a KraftError, if it is one, hides one in its causes (zx wraps what its commands meet), is a command of zx that
 * failed, or comes from the user's own code. Undefined for whatever else there may be.
 */
export function explain(error: unknown): KraftError | undefined {
  const hidden = [...causes(error)].find(isKraftError)
  if (hidden !== undefined) return hidden
  if (!(error instanceof Error)) return undefined
  if ('syscall' in error && error.syscall === 'uv_cwd') {
    return new KraftError({ kind: 'usage', message: 'The folder that you are in is gone', next: 'Go to one that exists' }, error)
  }
  if ('syscall' in error && error.syscall === 'uv_os_get_passwd') {
    const message = `The user that kraft runs as (${process.getuid?.()}) has no name here: /etc/passwd does not know it`
    return new KraftError(
      { kind: 'usage', message, next: 'Give it a line there, as ssh wants it too; in a container run as a user that it has' },
      error,
    )
  }
  if ('exitCode' in error && 'stdall' in error) return failedCommand(error, error.exitCode, String(error.stdall))
  const place = thrownAt(error)
  if (place === undefined) return undefined
  // The kraftfile's loader keeps lines as they are written, but not columns.
  const { file, line } = place
  return new KraftError({ kind: 'code', place: line === undefined ? { file } : { file, line }, message: messageOf(error) }, error)
}

/** An error and what caused it, each once: they may cause each other. */
export function* causes(error: unknown): Generator<Error> {
  const seen = new Set<unknown>()
  for (let each = error; each instanceof Error && !seen.has(each); each = each.cause) {
    seen.add(each)
    yield each
  }
}

function failedCommand(error: Error, code: unknown, said: string): KraftError {
  const noted: Partial<Command> = Reflect.get(error, mark) ?? {}
  const [first = '', ...more] = (noted.command ?? 'a command').trim().split('\n')
  return new KraftError(
    {
      kind: 'command',
      node: noted.where ?? 'this machine',
      command: more.length === 0 ? first : `${first} …`,
      code: typeof code === 'number' ? code : null,
      output: said.trim(),
    },
    error,
  )
}
