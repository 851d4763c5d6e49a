import { explain } from '../../engine/errors/explain.js'
import { summary } from '../../engine/errors/failure.js'
import type { Attention } from '../status/part.js'

/** Something that is not as it should be: an `error` needs a hand, a `warning` may be meant. */
export interface Finding extends Attention {
  readonly level: 'error' | 'warning'
}

/** A finding that needs a hand. */
export function wrong(what: string, next: string): Finding {
  return { level: 'error', what, next }
}

/** A finding that may be meant. */
export function doubtful(what: string, next: string): Finding {
  return { level: 'warning', what, next }
}

/** What was thrown, as a finding; Ctrl-C is none and is thrown on. */
export function findingOf(error: unknown): Finding {
  const failure = explain(error)?.failure
  if (failure === undefined) {
    const said = error instanceof Error ? error.message : String(error)
    return wrong(`This could not be looked at: ${said}`, 'That is a mistake in kraft: please report it')
  }
  if (failure.kind === 'interrupted') throw error
  const lines = 'output' in failure ? (failure.output ?? '').trim().split('\n') : []
  const last = lines.at(-1) ?? ''
  const next = 'next' in failure ? failure.next : undefined
  // Whoever shows it says whose it is.
  const node = 'node' in failure && failure.node !== undefined ? `${failure.node}: ` : ''
  const said = summary(failure).slice(summary(failure).startsWith(node) ? node.length : 0)
  return wrong(last === '' ? said : `${said}: ${last}`, next ?? nextOf[failure.kind] ?? 'Correct that')
}

const nextOf: Readonly<Record<string, string>> = {
  setting: 'Correct it there',
  code: 'Correct it there',
  unreachable: 'Is the node up, and does the network reach it?',
  command: 'Try that command there by hand',
}
