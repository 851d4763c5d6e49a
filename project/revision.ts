import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { askGit, git, inRepository } from './git.js'

/** Which version of the code a folder holds. */
export interface Revision {
  /** The commit, in full; undefined outside of git, and before the first one. */
  readonly commit: string | undefined
  /** The branch, or what was asked for with `--rev`; undefined where there is no name. */
  readonly name: string | undefined
  /** Files differ from the commit. */
  readonly dirty: boolean
}

/** The commit that a folder is at. */
export async function revision(folder: string): Promise<Revision> {
  if (!(await inRepository(folder))) return { commit: undefined, name: undefined, dirty: false }
  const [commit, branch, status] = await Promise.all([
    askGit(folder, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    askGit(folder, ['symbolic-ref', '--quiet', '--short', 'HEAD']),
    git(folder, ['status', '--porcelain', '--', '.']),
  ])
  const name = branch.code === 0 ? branch.stdout.toString().trim() : undefined
  return { commit: commit.code === 0 ? commit.stdout.toString().trim() : undefined, name, dirty: status.length > 0 }
}

/**
 * Writes the project as it is at a revision of its repository into an empty folder, without touching its working tree or index.
 * `folder` is the project's, which may be below the root of the repository. Returns the folder that the project has there.
 *
 * @throws KraftError `usage` for a revision that there is not, `task` where the project is not in it.
 * @example await checkOut('/home/ada/shop', 'v1.2', '/tmp/x') // { folder: '/tmp/x/tree', revision: { name: 'v1.2', … } }
 */
export async function checkOut(
  folder: string,
  name: string,
  to: string,
): Promise<{ readonly folder: string; readonly revision: Revision }> {
  if (!(await inRepository(folder))) {
    throw new KraftError({
      kind: 'usage',
      message: `--rev ${name} needs a git repository, and ${folder} is in none`,
      next: 'Leave --rev out: then the files are sent as they are',
    })
  }
  // A name that begins with a dash is no option.
  const found = await askGit(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`])
  const commit = found.stdout.toString().trim().split('\n').at(-1) ?? ''
  if (found.code !== 0 || commit === '') {
    throw new KraftError({
      kind: 'usage',
      message: `There is no revision ${name} in the repository of ${folder}`,
      next: 'Give a commit, a tag or a branch; perhaps it has yet to be fetched (git fetch --tags)',
    })
  }
  const prefix = (await git(folder, ['rev-parse', '--show-prefix'])).toString().replace(/\n$/, '')
  const tree = join(to, 'tree')
  await rm(tree, { recursive: true, force: true })
  await mkdir(tree, { recursive: true, mode: 0o700 })
  // With an index and a working tree of its own, filters and line endings are git's as in any checkout.
  const root = (await git(folder, ['rev-parse', '--show-toplevel'])).toString().replace(/\n$/, '')
  const own = { GIT_INDEX_FILE: join(to, 'index') }
  // All of it goes into the index, because a folder above may say how to treat the files below.
  await git(root, ['read-tree', commit], own)
  const project = prefix === '' ? '.' : `:(top,literal)${prefix}`
  const { code, stderr } = await askGit(root, [`--work-tree=${tree}`, 'checkout', '--quiet', '--', project], own)
  if (code !== 0) {
    throw new KraftError({
      kind: 'task',
      message: `${name} could not be read from the repository of ${folder}`,
      output: stderr,
      next: prefix === '' ? 'Correct it, then try again' : `Is there a folder ${prefix} in ${name}?`,
    })
  }
  return { folder: join(tree, prefix), revision: { commit, name, dirty: false } }
}
