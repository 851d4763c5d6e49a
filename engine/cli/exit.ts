import { explain } from '../errors/explain.js'
import type { Failure } from '../errors/failure.js'

const codes: Record<Failure['kind'], number> = {
  usage: 2,
  setting: 2,
  unreachable: 3,
  'host-key': 3,
  step: 1,
  command: 1,
  code: 1,
  task: 1,
  several: 1,
  interrupted: 130,
}

/** The exit code for an error: 1 the task failed, 2 command line or setting, 3 no node, 130 interrupted. */
export function exitCode(error: unknown): number {
  const kind = explain(error)?.failure.kind
  return kind === undefined ? 1 : codes[kind]
}
