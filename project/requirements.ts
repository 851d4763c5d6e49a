import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { pyprojectRequirements } from './pyproject.js'

/** Where a project says what it requires. */
export type RequirementsSource = 'packages' | 'requirements.txt' | 'pyproject.toml'

/** What a project requires from PyPI, ready for pip. */
export interface Requirements {
  /** Where it was said; empty where a project requires nothing. */
  readonly sources: readonly RequirementsSource[]
  /** A requirements file that stands alone: includes are in it, comments are not. Paths in it are relative to the project. */
  readonly text: string
  /** A constraints file for `pip install -c`; empty if the project has none. */
  readonly constraints: string
  /** The files of the project that this was made of, relative to it. */
  readonly files: readonly string[]
  /** Equal for equal requirements: what a virtualenv is named after, together with versions of Python and gunicorn. */
  readonly hashInput: string
}

/**
 * Reads what a project requires: the setting `packages`, and besides requirements.txt or, without one, [project] in
 * pyproject.toml. Throws a KraftError (`setting`) that names file and line.
 *
 * @example readRequirements({ folder: '/home/me/shop', packages: ['django', 'psycopg[binary]'] }).text // 'django\npsycopg[binary]\n'
 */
export function readRequirements(given: { readonly folder: string; readonly packages?: readonly string[] }): Requirements {
  const { folder, packages = [] } = given
  const read = new Reading(folder)
  const sources: RequirementsSource[] = []
  if (packages.length > 0) {
    sources.push('packages')
    for (const text of packages) read.row(text.trim(), 'requirements', { file: 'kraftwerk.yaml' })
  }
  if (existsSync(join(folder, 'requirements.txt'))) {
    sources.push('requirements.txt')
    read.file('requirements.txt', 'requirements')
  } else if (read.project('.', [])) sources.push('pyproject.toml')
  const text = read.rows.map((row) => `${row}\n`).join('')
  const constraints = read.constraints.map((row) => `${row}\n`).join('')
  return { sources, text, constraints, files: [...read.files], hashInput: `${text}--\n${constraints}--\n${read.hashes.join('')}` }
}

/** The same requirements with more constraints, rows as in a constraints file. */
export function constrained(requirements: Requirements, more: readonly string[]): Requirements {
  const rows = more.map((row) => `${row}\n`).join('')
  return {
    ...requirements,
    constraints: `${requirements.constraints}${rows}`,
    hashInput: `${requirements.hashInput}--\n${rows}`,
  }
}

/**
 * The names in a requirements file, as PyPI normalises them: lower case, single hyphens.
 *
 * @example requiredNames('Django~=5.2\ndj_database_url\n') // Set { 'django', 'dj-database-url' }
 */
export function requiredNames(text: string): ReadonlySet<string> {
  const names = text.split('\n').flatMap((row) => row.match(/^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?![\w./:+-])/)?.[1] ?? [])
  return new Set(names.map((name) => name.toLowerCase().replaceAll(/[-_.]+/g, '-')))
}

// pip's own format, as far as it reaches beyond one line: includes, constraints and local files, which have to be found here
// because the node sees one file only.
class Reading {
  readonly rows: string[] = []
  readonly constraints: string[] = []
  readonly files = new Set<string>()
  readonly hashes: string[] = []

  constructor(readonly folder: string) {}

  file(path: string, kind: 'requirements' | 'constraints', from?: From): void {
    const absolute = join(this.folder, path)
    if (this.files.has(path)) return
    if (!existsSync(absolute)) {
      const place = from === undefined ? { file: absolute } : { ...from, file: join(this.folder, from.file) }
      throw new KraftError({ kind: 'setting', message: `${path} does not exist`, place, next: 'Write it, or take the line out.' })
    }
    this.files.add(path)
    for (const { line, text } of logicalLines(readFileSync(absolute, 'utf8'))) this.row(text, kind, { file: path, line })
  }

  project(path: string, extras: readonly string[]): boolean {
    const found = pyprojectRequirements(this.folder, path, extras)
    if (found === undefined) return false
    this.files.add(join(path, 'pyproject.toml'))
    this.rows.push(...found)
    return true
  }

  row(text: string, kind: 'requirements' | 'constraints', from: From): void {
    const option = /^(-r|--requirement|-c|--constraint|-e|--editable|-f|--find-links)(?:\s*=\s*|\s+|(?<=^-[rcef]))(.+)$/.exec(
      text,
    )
    const [, name = '', value = ''] = option ?? []
    const folder = dirname(from.file)
    if (['-r', '--requirement', '-c', '--constraint'].includes(name) && !/^\w+:\/\//.test(value)) {
      const constrains = name === '-c' || name === '--constraint'
      this.file(join(folder, unquoted(value)), constrains ? 'constraints' : kind, from)
      return
    }
    if ((name === '-f' || name === '--find-links') && !/^\w+:\/\//.test(value)) {
      this.rows.push(`--find-links ${join(folder, unquoted(value))}`)
      return
    }
    const local = localPath(name === '' ? text : value)
    if (local === undefined) {
      ;(kind === 'constraints' ? this.constraints : this.rows).push(text)
      return
    }
    // What pip looks up here is relative to the folder where it runs, the project's own.
    this.local(join(folder, local.path), local, name !== '', from)
  }

  private local(path: string, { extras, rest }: LocalPath, editable: boolean, from: From): void {
    const absolute = join(this.folder, path)
    const place = { ...from, file: join(this.folder, from.file) }
    if (!existsSync(absolute)) throw new KraftError({ kind: 'setting', message: `${path} does not exist`, place })
    if (relative(this.folder, absolute).startsWith('..')) {
      const next = 'Copy it into the project: nothing outside of it reaches the node.'
      throw new KraftError({ kind: 'setting', message: `${path} is outside of the project`, place, next })
    }
    if (statSync(absolute).isDirectory()) {
      // The project itself is importable in each release; installing it would tie a shared virtualenv to one of them.
      if (path === '.' && this.project('.', extras)) return
      const next =
        path === '.' ? 'Take the line out: kraft puts the project on the path itself.' : 'Build a wheel of it and name that file.'
      const what = editable ? 'An editable folder' : 'A folder'
      throw new KraftError({
        kind: 'setting',
        message: `${what} (${path}) can't be installed in a virtualenv that releases share`,
        place,
        next,
      })
    }
    this.files.add(path)
    this.hashes.push(`${path} ${createHash('sha256').update(readFileSync(absolute)).digest('hex')}\n`)
    this.rows.push(`./${path}${extras.length > 0 ? `[${extras.join(',')}]` : ''}${rest}`)
  }
}

interface From {
  readonly file: string
  readonly line?: number
}

interface LocalPath {
  readonly path: string
  readonly extras: readonly string[]
  readonly rest: string
}

// `.`, `./x.whl`, `../x`, `vendor/x-1.0.tar.gz[extra] ; python_version > "3"`; not `name @ file:…` nor a URL.
function localPath(text: string): LocalPath | undefined {
  const match =
    /^(\.{1,2}(?:\/[^\s[;]*)?|[\w.-]+(?:\/[^\s[;:@]+)+|[\w.+-]+\.(?:whl|tar\.gz|zip))(?:\[([^\]]*)\])?(\s*;.*|\s+--.*)?$/.exec(
      unquoted(text),
    )
  if (match === null) return undefined
  const [, path = '', extras = '', rest = ''] = match
  return { path, extras: extras.split(',').flatMap((extra) => extra.trim() || []), rest }
}

// Lines as pip sees them: joined at a backslash, without comments and blanks, with the number of their first line.
function logicalLines(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const row = raw.replace(/(^|\s+)#.*$/, '')
    const joined = { line: open?.line ?? index + 1, text: `${open?.text ?? ''}${row.replace(/\\$/, '')}` }
    open = row.endsWith('\\') ? joined : undefined
    if (open === undefined && joined.text.trim() !== '')
      found.push({ line: joined.line, text: joined.text.trim().replaceAll(/\s+/g, ' ') })
  }
  if (open !== undefined && open.text.trim() !== '') found.push({ line: open.line, text: open.text.trim() })
  return found
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}
