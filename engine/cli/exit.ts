import { type Failure, isKraftError } from '../errors/failure.js'

const codes: Record<Failure['kind'], number> = {
  usage: 2,
  setting: 2,
  unreachable: 3,
  'host-key': 3,
  step: 1,
  command: 1,
  task: 1,
  interrupted: 130,
}

/** The exit code for an error: 1 the task failed, 2 command line or setting, 3 no node, 130 interrupted. */
export function exitCode(error: unknown): number {
  return isKraftError(error) ? codes[error.failure.kind] : 1
}
