import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The program as `npm run build` makes it. */
export const kraftProgram = fileURLToPath(new URL('../../dist/kraft.js', import.meta.url))

/** How a call of kraft ended. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output byte for byte. */
  readonly bytes: Buffer
}

/** Where and with what kraft is called. */
export interface CallOptions {
  readonly cwd: string
  /** All of its environment. */
  readonly env: NodeJS.ProcessEnv
  /** What it reads; nothing if left out. */
  readonly stdin?: string | Buffer
  /** Seconds after which it is killed, and the call throws; 240 if left out. */
  readonly seconds?: number
}

/** Calls the built `kraft` as a shell would, with no terminal, and returns how it ended. */
export async function callKraft(args: readonly string[], options: CallOptions): Promise<Ran> {
  return call(process.execPath, [kraftProgram, ...args], options)
}

/** Runs any program the same way: a shell that has kraft in a pipe. */
export async function call(program: string, args: readonly string[], options: CallOptions): Promise<Ran> {
  const { cwd, env, stdin = '', seconds = 240 } = options
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  let unread: Error | undefined
  // A command may end without reading what it is given.
  child.stdin.on('error', (error) => {
    unread = error
  })
  child.stdin.end(stdin)
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, seconds * 1000)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  clearTimeout(timer)
  const bytes = Buffer.concat(out)
  const stderr = Buffer.concat(err).toString()
  const words = [program, ...args].join(' ')
  if (late) throw new Error(`${words}\ndid not end within ${seconds} s:\n${bytes}\n${stderr}`)
  if (code === null) throw new Error(`${words}\nwas killed:\n${stderr}`, { cause: unread })
  return { code, stdout: bytes.toString(), stderr, bytes }
}
