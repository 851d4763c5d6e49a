import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import type { TreeEntry } from '../engine/transfer/manifest.js'
import { git, inRepository } from './git.js'
import { type IgnoreRules, readIgnoreRules } from './ignore.js'

// What never belongs on a node, also where no .gitignore says so; a .kraftignore can take it in (`!node_modules/`).
const never = readIgnoreRules(
  [
    ...['.hg', '.svn', '.venv', 'venv', 'node_modules', '__pycache__', '.mypy_cache', '.pytest_cache', '.ruff_cache', '.tox'],
    ...['.idea', '.vscode', '.DS_Store', '*.pyc', '*.pyo', '*.bundle'],
  ].join('\n'),
)

/** The rules of a folder, for paths below it. */
interface Layer {
  /** The folder's path with a slash at its end, or nothing for the project's own. */
  readonly base: string
  readonly rules: IgnoreRules
}

/** Rules of the folders that a path is in, the innermost first. */
interface Layers {
  readonly kraft: readonly Layer[]
  readonly git: readonly Layer[]
}

/** What of a project goes to its nodes. */
export interface ProjectFiles {
  /** Files, links and empty folders, sorted by path. */
  readonly entries: readonly TreeEntry[]
  /** Folders that are git repositories of their own (submodules, worktrees) and stay here. */
  readonly repositories: readonly string[]
}

/**
 * The files of a project that go to a node: all but what `.gitignore` leaves out (in a repository git itself is asked, so that
 * what is tracked goes along), caches and virtualenvs. `.kraftignore` has the same syntax and the last word, in both directions. What
 * `stays` names stays here all the same.
 *
 * @throws KraftError `task` for what can't be sent: sockets, devices, names that are not UTF-8.
 * @example (await projectFiles('/home/ada/shop')).entries[0] // { path: '.gitignore', type: 'file' }
 */
export async function projectFiles(folder: string, stays: readonly string[] = []): Promise<ProjectFiles> {
  const entries: TreeEntry[] = []
  const repositories: string[] = []
  // `known` is what git says; undefined where git says nothing of the single paths: there the files called .gitignore are read.
  const visit = (at: string, above: Layers, known: ReadonlySet<string> | undefined) => {
    const found = readdirSync(join(folder, at), { withFileTypes: true })
    if (at !== '' && found.length === 0) entries.push({ path: at.slice(0, -1), type: 'folder' })
    const names = new Set(found.map(({ name }) => name))
    const layers: Layers = {
      kraft: names.has('.kraftignore') ? [layer(folder, at, '.kraftignore'), ...above.kraft] : above.kraft,
      git: names.has('.gitignore') ? [layer(folder, at, '.gitignore'), ...above.git] : above.git,
    }
    for (const entry of found) {
      const path = `${at}${entry.name}`
      const isFolder = entry.isDirectory()
      if (entry.name === '.git' || path === '.kraft' || stays.includes(path)) continue
      const own = verdict(layers.kraft, path, isFolder)
      const ignored = known?.has(isFolder ? `${path}/` : path) ?? verdict(layers.git, path, isFolder) === 'out'
      if (own === 'out' || (ignored && own !== 'in')) continue
      const apart = isFolder && known !== undefined && existsSync(join(folder, path, '.git'))
      if (apart && own !== 'in') repositories.push(path)
      else if (isFolder) visit(`${path}/`, layers, ignored || apart ? undefined : known)
      else entries.push({ path, type: typeOf(folder, path, entry) })
    }
  }
  const known = (await inRepository(folder)) ? await ignoredByGit(folder) : undefined
  visit('', { kraft: [{ base: '', rules: never }], git: [] }, known)
  return { entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)), repositories: repositories.sort() }
}

function layer(folder: string, base: string, name: string): Layer {
  const path = join(folder, base, name)
  // A folder of that name holds no rules.
  return { base, rules: readIgnoreRules(lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '') }
}

function verdict(layers: readonly Layer[], path: string, isFolder: boolean): 'out' | 'in' | undefined {
  for (const { base, rules } of layers) {
    const said = rules.verdict(path.slice(base.length), isFolder)
    if (said !== undefined) return said
  }
  return undefined
}

/** What git ignores below a folder; a folder ends with a slash and stands for all that is in it. */
async function ignoredByGit(folder: string): Promise<ReadonlySet<string>> {
  const listed = await git(folder, ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'])
  const paths = new Set(listed.toString().split('\0'))
  // git also names a folder that it does not ignore when all in it is ignored; then it names that as well.
  for (const path of paths) {
    for (let end = path.indexOf('/'); end !== -1 && end < path.length - 1; end = path.indexOf('/', end + 1)) {
      paths.delete(path.slice(0, end + 1))
    }
  }
  return paths
}

function typeOf(
  folder: string,
  path: string,
  entry: { isFile(): boolean; isSymbolicLink(): boolean; isSocket(): boolean; isFIFO(): boolean },
): 'file' | 'link' {
  // What is no UTF-8 was read with marks in its place, and there is nothing of that name.
  if (path.includes('\uFFFD') && lstatSync(join(folder, path), { throwIfNoEntry: false }) === undefined) {
    throw refuse(`The name of ${JSON.stringify(path)} is not UTF-8`, 'Rename it')
  }
  if (entry.isFile()) return 'file'
  if (entry.isSymbolicLink()) return 'link'
  throw refuse(
    `${path} is a ${entry.isSocket() ? 'socket' : entry.isFIFO() ? 'named pipe' : 'device'} and can't be sent`,
    'Remove it',
  )
}

function refuse(message: string, next: string): KraftError {
  return new KraftError({ kind: 'task', message, next: `${next}, or leave it out with a line in .kraftignore` })
}
