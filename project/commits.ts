import { askGit, inRepository } from './git.js'

/** One commit, as people name it. */
export interface Commit {
  readonly commit: string
  readonly title: string
  readonly by: string
}

/** The commits between two versions of a project, the newest first. */
export interface Commits {
  /** In the newer version and not in the older one. */
  readonly added: readonly Commit[]
  /** The other way round: a deploy would take them away. */
  readonly removed: readonly Commit[]
}

/** What lies between two commits in a folder; undefined where the repository does not know one of them. */
export async function commitsBetween(folder: string, from: string, to: string): Promise<Commits | undefined> {
  if (!(await inRepository(folder))) return undefined
  const log = async (range: string): Promise<readonly Commit[] | undefined> => {
    const { code, stdout } = await askGit(folder, ['log', '-z', '--format=%H%x1f%s%x1f%an', '--end-of-options', range, '--', '.'])
    if (code !== 0) return undefined
    return stdout
      .toString()
      .split('\0')
      .filter((row) => row !== '')
      .map((row) => {
        const [commit = '', title = '', by = ''] = row.split('\x1f')
        return { commit, title, by }
      })
  }
  const [added, removed] = await Promise.all([log(`${from}..${to}`), log(`${to}..${from}`)])
  return added === undefined || removed === undefined ? undefined : { added, removed }
}
