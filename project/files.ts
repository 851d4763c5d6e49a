import { execFile } from 'node:child_process'
import { lstat, readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

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
  try {
    return (await exec('git', ['-C', folder, ...args], { maxBuffer: 256 * 1024 * 1024 })).stdout
  } catch {
    // No git here, or no repository: the folder is all there is to go by.
    return undefined
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
