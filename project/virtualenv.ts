import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How it went: what made it, or why there is none. */
export type VirtualenvMade = { readonly by: 'uv' | 'python3' } | { readonly problem: string; readonly next: string }

const byHand = 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt'

/**
 * Makes `.venv` in a project's folder with what its requirements.txt asks for, or with the requirements that are given as the text of
 * such a file: by uv where that is installed, else by python3 with pip.
 * Never throws: without a network a project is there all the same, and what half a virtualenv there was is gone.
 *
 * @example await makeVirtualenv('/home/ada/shop', session.ended) // { by: 'uv' }
 */
export async function makeVirtualenv(folder: string, ended: AbortSignal, text?: string): Promise<VirtualenvMade> {
  const call = (program: string, ...args: readonly string[]) =>
    run(program, [...args], { cwd: folder, signal: ended, maxBuffer: 1024 ** 3 })
  const file = text === undefined ? 'requirements.txt' : join('.venv', 'requirements.txt')
  const write = async () => text === undefined || writeFile(join(folder, file), text)
  const requirements = ['-r', file]
  const uv = await call('uv', '--version').then(
    () => true,
    () => false,
  )
  try {
    if (uv) {
      await call('uv', 'venv', '--quiet', '.venv')
      await write()
      await call('uv', 'pip', 'install', '--quiet', '--python', '.venv', ...requirements)
      return { by: 'uv' }
    }
    await call('python3', '-m', 'venv', '.venv')
    await write()
    await call('.venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements)
    return { by: 'python3' }
  } catch (error) {
    await rm(join(folder, '.venv'), { recursive: true, force: true })
    const alone = 'python3 -m venv .venv, then .venv/bin/pip install what the project requires'
    const again = text !== undefined ? alone : uv ? `uv venv && uv pip install -r requirements.txt` : byHand
    // Debian's python3 says on stdout which package its venv is in.
    const install = /^ *(apt install \S+)$/m.exec(printed(error).join('\n'))?.[1]
    if (install === undefined) return { problem: lastLine(error), next: again }
    return {
      problem: "Python's venv is not installed",
      next: text === undefined ? `sudo ${install} && ${again}` : `sudo ${install}`,
    }
  }
}

function printed(error: unknown): readonly string[] {
  const streams = typeof error === 'object' && error !== null ? { stderr: '', stdout: '', ...error } : { stderr: '', stdout: '' }
  return [streams.stderr, streams.stdout].map((text) => text.trim()).filter((text) => text !== '')
}

function lastLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'there is no python3 here'
  const [text = error.message] = printed(error)
  const rows = text.split('\n').filter((row) => row.trim() !== '')
  return (rows.findLast((row) => /^ERROR|^error/i.test(row)) ?? rows.at(-1) ?? text).trim()
}
