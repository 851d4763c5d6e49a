import { spawn } from 'node:child_process'
import { getuid } from 'node:process'
import { createInterface } from 'node:readline'
import { KraftError } from '../../../engine/errors/failure.js'
import { type Sh, sh } from '../../../engine/shell/sh.js'

/** How {@link asRoot} runs a script. */
export interface RootOptions {
  /** Passed on to the script only, never seen in the list of processes. */
  readonly environ?: Readonly<Record<string, string>>
  /** A file that the script holds locked until it ends, even if kraft is killed before. */
  readonly lock?: string
  /** Called with each line of the script's output. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Exit codes beside 0 that the caller understands. */
  readonly expected?: readonly number[]
}

/** What a script said and how it ended. */
export interface RootResult {
  readonly stdout: string
  readonly code: number
}

/** Exit code of scripts that explain on their last two lines of stderr why they can't go on, and what to do. */
export const explained = 70

/** `sh` text that ends a script with an explanation for the user, and what to do next. */
export function explain(message: string, next: string): Sh {
  return sh`{ printf '%s\n%s\n' ${message} ${next} >&2; exit ${explained}; }`
}

/** Refuses to go on where commands can't be run as root without a question. Throws a KraftError. */
export async function checkRoot(): Promise<void> {
  if (isRoot()) return
  const { code } = await run(['sudo', '-n', 'true'], '', {}).catch(() => ({ code: 127 }))
  if (code === 0) return
  throw new KraftError({
    kind: 'task',
    message: 'Local nodes need root on this machine: they have file systems, addresses and processes of their own',
    // A password that was typed for `sudo -v` counts for the terminal's own processes, and these are in a session of their own.
    next: 'Run kraft as root, or as a user whose sudo asks for no password (NOPASSWD).',
  })
}

/**
 * Runs a POSIX script as root on this machine, through `sudo -n` where kraft isn't root: the only place that does. The script
 * travels over stdin, runs under `set -e` with stdin from /dev/null, and is not hit by a Ctrl-C on the terminal.
 * Throws a KraftError for exit codes that are not expected.
 *
 * @example await asRoot('Start the bridge', sh`ip link set ${bridge} up`)
 */
export async function asRoot(title: string, script: Sh, options: RootOptions = {}): Promise<RootResult> {
  const text = ['set -e', ...exports(options.environ), ...locking(options.lock), script.text].join('\n')
  const shell = ['sh', '-c', 'script=$(cat); exec </dev/null; eval "$script"']
  const { code, stdout, stderr } = await run(isRoot() ? shell : ['sudo', '-n', ...shell], text, options)
  if (options.signal?.aborted === true) throw interrupted()
  if (code === 0 || (code !== null && options.expected?.includes(code) === true)) return { stdout, code }
  const output = stderr.trimEnd()
  if (code === explained) {
    const [message = title, next = ''] = output.split('\n').slice(-2)
    throw new KraftError({ kind: 'task', message, next })
  }
  const next = 'Correct what it says there; then the same command goes on.'
  throw new KraftError({ kind: 'command', node: 'this machine', command: title, code, output: tail(output || stdout), next })
}

/** Ends with `interrupted` if the signal was given. */
export function checkInterrupt(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted()
}

function interrupted(): KraftError {
  return new KraftError({ kind: 'interrupted', message: 'Interrupted' })
}

function isRoot(): boolean {
  return getuid?.() === 0
}

function exports(environ: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(environ).map(([name, value]) => sh`export ${name}=${value}`.text)
}

// Whatever a script leaves running must close descriptor 9, else it keeps the lock.
function locking(file: string | undefined): string[] {
  return file === undefined ? [] : [sh`mkdir -p "$(dirname ${file})"; exec 9>${file}; flock 9`.text]
}

function tail(output: string): string {
  return output.trimEnd().split('\n').slice(-15).join('\n')
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(command: readonly string[], input: string, { onLine, signal }: RootOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = '', ...rest] = command
    // A session of its own: the terminal's Ctrl-C reaches kraft alone, which then ends what may be ended.
    const child = spawn(program, rest, {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' },
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
      if (onLine !== undefined) createInterface({ input: child[name] }).on('line', onLine)
    }
    const end = () => {
      const group = `-${child.pid}`
      const kill = isRoot() ? ['kill', '-TERM', '--', group] : ['sudo', '-n', 'kill', '-TERM', '--', group]
      spawn(kill[0] ?? '', kill.slice(1), { stdio: 'ignore' }).on('error', reject)
    }
    signal?.addEventListener('abort', end, { once: true })
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error)
    })
    child.on('error', (error) => {
      signal?.removeEventListener('abort', end)
      reject(error)
    })
    child.on('close', (code) => {
      signal?.removeEventListener('abort', end)
      resolve({ code, ...output })
    })
    child.stdin.end(input)
  })
}
