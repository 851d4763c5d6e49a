import { spawn } from 'node:child_process'
import { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { kraftProgram } from './kraft.js'
import { ensurePackages } from './packages.js'

const driver = fileURLToPath(new URL('pseudo-terminal.py', import.meta.url))

// What a person's shell has, without what steers kraft, and without what says that nobody is there.
const bare = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|VITEST|NODE_|FORCE_COLOR|CI$|SSH_AUTH_SOCK$)/.test(name))

/** A program in a real terminal, with a person's hands and eyes. */
export interface Terminal {
  /** Types keys: `\r` is Enter, `\t` completes, `\x03` is Ctrl-C. */
  type(keys: string): void
  /** Everything drawn so far. */
  seen(): string
  /** Waits until a text or pattern is drawn after what the last call saw; throws after 20 seconds. */
  sees(what: string | RegExp): Promise<void>
  resize(columns: number, rows: number): void
  /** Waits for the end of the program; returns its exit code. */
  ended(): Promise<number>
  /** Ends the program, if it still runs. */
  kill(): void
}

/** Starts the built kraft in a pseudo-terminal that is wide enough for its questions; `env` goes over what a person's shell has. */
export function kraftInTerminal(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Terminal> {
  const all = { ...Object.fromEntries(bare), TERM: 'xterm', ...env }
  return inTerminal([process.execPath, kraftProgram, ...args], { columns: 200, rows: 40, cwd, env: all })
}

/** Starts a program in a pseudo-terminal. */
export async function inTerminal(
  program: readonly string[],
  options: { readonly columns: number; readonly rows: number; readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Terminal> {
  await ensurePackages(['python3'])
  const { columns, rows, cwd, env } = options
  const child = spawn('/usr/bin/python3', [driver, String(columns), String(rows), ...program], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  })
  const [keys, screen, , sizes] = child.stdio
  if (!(keys instanceof Writable) || !(screen instanceof Readable) || !(sizes instanceof Writable)) throw new Error('No terminal')
  let seen = ''
  let read = 0
  let code: number | undefined
  screen.setEncoding('utf8').on('data', (text: string) => {
    seen += text
  })
  const end = new Promise<number>((resolve, reject) =>
    child.on('error', reject).on('close', (status) => {
      code = status ?? 255
      resolve(code)
    }),
  )
  const limit = async <T>(what: string, holds: () => T | undefined): Promise<T> => {
    for (const start = performance.now(); performance.now() - start < 20_000; await pause(20)) {
      const found = holds()
      if (found !== undefined) return found
    }
    throw new Error(`Waited 20 s in vain for ${what}. The terminal shows:\n${seen}\n(JSON: ${JSON.stringify(seen.slice(read))})`)
  }
  return {
    type: (typed) => void keys.write(typed),
    seen: () => seen,
    sees: (what) =>
      limit(String(what), () => {
        const fresh = seen.slice(read)
        const [start, length] =
          typeof what === 'string' ? [fresh.indexOf(what), what.length] : [fresh.search(what), what.exec(fresh)?.[0].length ?? 0]
        if (start < 0) return undefined
        read += start + length
        return true
      }).then(() => undefined),
    resize: (newColumns, newRows) => void sizes.write(`${newColumns} ${newRows}\n`),
    ended: async () => {
      await limit('the end', () => code)
      return end
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
