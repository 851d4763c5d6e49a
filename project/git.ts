import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { KraftError } from '../engine/errors/failure.js'

const exec = promisify(execFile)

/** How a call of git ended that need not go well. */
export interface GitAnswer {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** Calls git in a folder. Throws `task` where git is missing. */
export async function askGit(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<GitAnswer> {
  try {
    // Its messages are read, so they must not be translated; reading must not wait for whoever else works in the repository.
    const options = {
      maxBuffer: 1024 ** 3,
      encoding: 'buffer' as const,
      env: { ...outside(), LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', ...env },
    }
    const { stdout, stderr } = await exec('git', ['-C', folder, ...args], options)
    return { code: 0, stdout, stderr: stderr.toString() }
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number' && 'stdout' in error && 'stderr' in error) {
      return { code: error.code, stdout: Buffer.from(String(error.stdout)), stderr: String(error.stderr).trim() }
    }
    throw unable(folder, error instanceof Error ? error.message : String(error), error)
  }
}

// Where git itself calls kraft, in a hook, these name that repository, and a folder of the hook's.
function outside(): NodeJS.ProcessEnv {
  const own = /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}

/** The same, and throws `task` for any code but 0: a guess would send files that git ignores. */
export async function git(folder: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Buffer> {
  const { code, stdout, stderr } = await askGit(folder, args, env)
  if (code === 0) return stdout
  throw unable(folder, stderr)
}

function unable(folder: string, output: string, cause?: unknown): KraftError {
  return new KraftError(
    {
      kind: 'task',
      message: `git could not tell which files of ${folder} are its own`,
      output,
      next: 'Install or repair git, then try again',
    },
    cause,
  )
}

/**
 * Whether a folder belongs to a git repository: one is at it or above, and does not ignore it, as a repository of somebody's whole
 * home would.
 */
export async function inRepository(folder: string): Promise<boolean> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) break
    if (at === dirname(at)) return false
  }
  const { code, stderr } = await askGit(folder, ['check-ignore', '--quiet', '.'])
  if (code === 0) return false
  if (code === 1) return true
  throw unable(folder, stderr)
}
