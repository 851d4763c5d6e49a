import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A project's files, for detectors. */
export interface ProjectTree {
  readonly folder: string
  /** Paths relative to the folder, those near the top first. */
  readonly files: readonly string[]
  /** Names of what the project requires itself, as PyPI normalises them. */
  readonly requires: ReadonlySet<string>
  /** The text of a file; undefined if there is none. */
  read(path: string): string | undefined
}

const skipped = new Set(`node_modules venv env virtualenv __pycache__ build dist site-packages`.split(' '))
const most = { files: 20_000, depth: 8, bytes: 1_000_000 }

/**
 * Reads which files a project has; hidden folders, virtualenvs and links are left out, and so is what lies deeper than eight folders.
 *
 * @example readTree('/home/ada/shop', new Set(['django'])).files // ['manage.py', 'shop/settings.py']
 */
export function readTree(folder: string, requires: ReadonlySet<string>): ProjectTree {
  const files: string[] = []
  let level = ['']
  for (let depth = 0; level.length > 0 && depth < most.depth; depth++) {
    const below: string[] = []
    for (const at of level) {
      const entries = readdirSync(join(folder, at), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
      if (at !== '' && entries.some(({ name }) => name === 'pyvenv.cfg')) continue
      for (const entry of entries) {
        if (entry.isFile() && files.length < most.files) files.push(`${at}${entry.name}`)
        if (entry.isDirectory() && !entry.name.startsWith('.') && !skipped.has(entry.name)) below.push(`${at}${entry.name}/`)
      }
    }
    level = below
  }
  const known = new Set(files)
  const texts = new Map<string, string>()
  return {
    folder,
    files,
    requires,
    read(path) {
      if (!known.has(path)) return undefined
      const text = texts.get(path) ?? readFileSync(join(folder, path), 'utf8').slice(0, most.bytes)
      texts.set(path, text)
      return text
    },
  }
}

/** The Python files that make the program: no tests, examples, documentation or migrations. */
export function programFiles({ files }: ProjectTree): readonly string[] {
  const aside = /(^|\/)(tests?|testing|examples?|docs?|migrations|conftest\.py|setup\.py|test_[^/]*|[^/]*_test\.py)(\/|$)/
  return files.filter((path) => path.endsWith('.py') && !aside.test(path))
}

/**
 * How Python calls a file, and the folder that has to be on its path for that: `src` of kraftwerk.yaml, or nothing.
 *
 * @example moduleOf(tree, 'src/shop/wsgi.py') // { module: 'shop.wsgi', src: 'src' }
 */
export function moduleOf(tree: ProjectTree, path: string): { readonly module: string; readonly src: string } {
  const parts = path.replace(/(\/__init__)?\.py$/, '').split('/')
  let first = parts.length - 1
  while (first > 0 && tree.read(`${parts.slice(0, first).join('/')}/__init__.py`) !== undefined) first--
  return { module: parts.slice(first).join('.'), src: parts.slice(0, first).join('/') }
}

/** The line, from 1, of what a pattern finds first; undefined where it finds nothing. */
export function lineOf(text: string, pattern: RegExp | string): number | undefined {
  const at = text.search(pattern)
  return at === -1 ? undefined : text.slice(0, at).split('\n').length
}
