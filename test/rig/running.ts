import { type ChildProcess, spawn } from 'node:child_process'
import { type CallOptions, kraftProgram } from './kraft.js'

/** A call of kraft that still runs, for tests that interrupt it. */
export interface Running {
  readonly child: ChildProcess
  /** How it ended; `code` is null where a signal ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string }>
  /** Waits until stderr says this; throws where kraft ends before it did. */
  says(text: string): Promise<void>
}

/** Starts the built kraft without a terminal. */
export function startKraft(args: readonly string[], { cwd, env }: Pick<CallOptions, 'cwd' | 'env'>): Running {
  const child = spawn(process.execPath, [kraftProgram, ...args], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  const ended: Running['ended'] = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stderr }))
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => stderr.includes(text) && resolve()
        child.stderr.on('data', look)
        ended.then(() => reject(new Error(`kraft never said "${text}":\n${stderr}`)), reject)
        look()
      }),
  }
}
