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

/**
 * The exit code for an error: 1 the task failed, 2 command line or setting, 3 no node, 130 interrupted. Of several failures the
 * code that they agree on, else 1.
 */
export function exitCode(error: unknown): number {
  const failure = explain(error)?.failure
  if (failure === undefined) return 1
  if (failure.kind !== 'several') return codes[failure.kind]
  const [code = 1, ...others] = new Set(failure.failed.map((ended) => exitCode(ended.error)))
  return others.length === 0 ? code : codes.several
}
