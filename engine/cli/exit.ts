import { explain } from '../errors/explain.js'
import type { Failure } from '../errors/failure.js'

/** What the codes mean that kraft ends with, for scripts. */
export const exitCodes = {
  0: 'Done. Also where nothing had to change.',
  1: 'The task failed. Of `status` and `doctor`: something needs a hand; of `diff --exit-code`: something differs.',
  2: 'The command line, a setting or a kraftfile is wrong.',
  3: 'A node could not be reached, or is not the one that kraft knows.',
  130: 'Interrupted by Ctrl-C, or by SIGTERM or SIGHUP.',
} as const

const codes: Record<Failure['kind'], keyof typeof exitCodes> = {
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

/** The kinds of failure that end with a code, as `--events` names them. */
export function kindsOf(code: number): readonly string[] {
  return Object.entries(codes).flatMap(([kind, each]) => (each === code ? [kind] : []))
}

/** The exit code for an error. Of several failures the code that they agree on, else 1. */
export function exitCode(error: unknown): keyof typeof exitCodes {
  const failure = explain(error)?.failure
  if (failure === undefined) return 1
  if (failure.kind !== 'several') return codes[failure.kind]
  const [code = 1, ...others] = new Set(failure.failed.map((ended) => exitCode(ended.error)))
  return others.length === 0 ? code : codes.several
}
