import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { KraftError } from '../../engine/errors/failure.js'

/**
 * Runs one command with the terminal as its own, and returns its exit code, 128 + n for a signal. Throws `usage` where there is no such
 * program.
 *
 * @example await oneCommand(['pytest', '-x'], environ)
 */
export async function oneCommand(command: readonly string[], environ: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { env: environ, stdio: 'inherit' })
  const quiet = passSignals(child)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error)))
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    quiet()
  }
}

// A terminal sends Ctrl-C to both; what was sent to kraft alone is passed on.
function passSignals(child: ChildProcess): () => void {
  const pass = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, pass)
  return () => {
    for (const signal of signals) process.off(signal, pass)
  }
}

function notStarted(program: string, error: NodeJS.ErrnoException): KraftError {
  const message =
    error.code === 'ENOENT' ? `There is no program ${program} here` : `${program} can't be started: ${error.message}`
  return new KraftError({ kind: 'usage', message, next: `Install it in the project's virtualenv, or name its path` })
}
