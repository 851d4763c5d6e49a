import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { KraftError } from '../../../engine/errors/failure.js'
import { signalGroup } from '../../../engine/shell/signal-group.js'

/** How {@link runProgram} runs a program of this machine. */
export interface ProgramOptions {
  readonly cwd?: string
  /** What it reads; nothing if left out. */
  readonly input?: string
  /** Beside those of kraft's own environment. */
  readonly environ?: Readonly<Record<string, string>>
  /** Called with each line that it prints. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Any exit code is fine: the caller looks at it. */
  readonly anyCode?: boolean
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program of this machine as the user who calls kraft, with no terminal. Throws a KraftError where it is missing (code 127 with
 * `anyCode`), or ends with another code than 0.
 *
 * @example const { stdout } = await runProgram('podman', ['version'])
 */
export async function runProgram(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramEnd> {
  const end = await ended(program, args, options)
  if (options.signal?.aborted === true) throw new KraftError({ kind: 'interrupted', message: 'Interrupted' })
  if (end.code === 0 || options.anyCode === true) return end
  const output = (end.stderr.trimEnd() || end.stdout.trimEnd()).split('\n').slice(-15).join('\n')
  const next = `Correct what ${program} says there; then the same command goes on.`
  const command = [program, ...args].join(' ')
  throw new KraftError({ kind: 'command', node: 'this machine', command, code: end.code, output, next })
}

function ended(program: string, args: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const { cwd = '/', environ = {}, input = '', onLine, signal } = options
  return new Promise((resolve, reject) => {
    // A group of its own: the terminal's Ctrl-C reaches kraft alone, which then ends what may be ended.
    const child = spawn(program, args, { cwd, detached: true, stdio: 'pipe', env: { ...process.env, ...environ } })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
      if (onLine !== undefined) createInterface({ input: child[name] }).on('line', onLine)
    }
    const end = () => void (child.pid === undefined || signalGroup(child.pid, 'SIGTERM'))
    signal?.addEventListener('abort', end, { once: true })
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error)
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', end)
      if (error.code === 'ENOENT') resolve({ code: 127, stdout: '', stderr: `${program} is not installed` })
      else reject(error)
    })
    child.on('close', (code) => {
      signal?.removeEventListener('abort', end)
      resolve({ code: code ?? 1, ...output })
    })
    child.stdin.end(input)
  })
}
