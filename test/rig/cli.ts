import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built kraft. */
export const program = fileURLToPath(new URL('../../dist/kraft.js', import.meta.url))

/** How a call of kraft ended. */
export interface Ended {
  /** As a shell sees it: 128 and the signal's number where a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A call of kraft that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Waits until stderr says this; throws where kraft ends before. */
  says(text: string): Promise<void>
}

/** Where and with what a {@link kraft} runs. */
export interface Surroundings {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the built kraft without a terminal and without this process's own KRAFT_ variables. */
export function start(args: readonly string[], { cwd, env = {} }: Surroundings): Running {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(KRAFT_|VITEST|NODE_)/.test(name)))
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString()
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 130), ...said }))
  })
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => said.stderr.includes(text) && resolve()
        child.stderr.on('data', look)
        ended.then(() => reject(new Error(`kraft never said "${text}":\n${said.stderr}`)), reject)
        look()
      }),
  }
}

/** Runs the built kraft to its end. */
export function kraft(args: readonly string[], where: Surroundings): Promise<Ended> {
  return start(args, where).ended
}

/** What stderr says of a failure, apart from the progress above it: the lines from `error:` on. */
export function failure({ stderr }: Ended): string {
  const at = stderr.search(/^error: /m)
  return at < 0 ? '' : stderr.slice(at).trimEnd()
}

/** Writes files below a folder: contents by path. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}
