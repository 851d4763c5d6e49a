import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { KraftError } from '../engine/errors/failure.js'

const exec = promisify(execFile)

// What never belongs on a node, also where no .gitignore says so.
const never = new Set([
  '.git',
  '.hg',
  '.svn',
  '.venv',
  'venv',
  'node_modules',
  '__pycache__',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.tox',
  '.idea',
  '.vscode',
  '.DS_Store',
  '.kraft',
])
const neverNamed = /\.py[co]$|\.bundle$/

/** Which version of the code a folder holds. */
export interface Revision {
  /** The commit, in full; undefined outside of git. */
  readonly commit: string | undefined
  /** Files differ from the commit. */
  readonly dirty: boolean
}

/**
 * The files of a project that go to a node, as paths relative to its folder: those that git would list (tracked, or new and
 * not ignored), or without git all but caches and virtualenvs.
 */
export async function projectFiles(folder: string): Promise<readonly string[]> {
  const listed = (await gitFiles(folder)) ?? (await walk(folder, folder))
  const wanted = listed.filter((path) => !path.split('/').some((part) => never.has(part)) && !neverNamed.test(path))
  const there = await Promise.all(wanted.map(async (path) => (await isFile(join(folder, path))) && path))
  return there.filter((path) => path !== false).sort()
}

/** The commit that a folder is at. */
export async function revision(folder: string): Promise<Revision> {
  const commit = await git(folder, 'rev-parse', 'HEAD')
  if (commit === undefined) return { commit: undefined, dirty: false }
  return { commit: commit.trim(), dirty: (await git(folder, 'status', '--porcelain', '--', '.')) !== '' }
}

async function gitFiles(folder: string): Promise<string[] | undefined> {
  const listed = await git(folder, 'ls-files', '-co', '--exclude-standard', '-z')
  return listed?.split('\0').filter((path) => path !== '')
}

async function git(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  // Where git would find no repository the folder is all there is to go by; any other failure must not upload ignored files.
  if (!inRepository(folder)) return undefined
  try {
    // Its messages are read, so they must not be translated.
    const options = { maxBuffer: 256 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } }
    return (await exec('git', ['-C', folder, ...args], options)).stdout
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    if (/unknown revision|bad revision|ambiguous argument 'HEAD'/.test(said)) return undefined
    throw new KraftError(
      {
        kind: 'task',
        message: `git could not tell which files of ${folder} are its own`,
        output: said,
        next: 'Install or repair git, then try again',
      },
      error,
    )
  }
}

function inRepository(folder: string): boolean {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true
    if (at === dirname(at)) return false
  }
}

async function walk(root: string, folder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (never.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...(await walk(root, path)))
    else found.push(relative(root, path))
  }
  return found
}

// A tracked file may be gone, and a submodule is listed as its folder.
async function isFile(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path)
    return stats.isFile() || stats.isSymbolicLink()
  } catch {
    return false
  }
}
