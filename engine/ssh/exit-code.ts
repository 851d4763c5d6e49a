import { constants } from 'node:os'
import type { Exit } from './connection.js'

/** The exit code that a shell would show: 128 and the number of the signal for what a signal ended. */
export function exitCode({ code, signal }: Exit): number {
  if (code !== null) return code
  const numbers: Readonly<Record<string, number>> = constants.signals
  return signal === null ? 255 : 128 + (numbers[`SIG${signal}`] ?? 127)
}
