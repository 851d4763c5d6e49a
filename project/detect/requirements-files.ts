import { parse } from 'smol-toml'
import { isMap } from '../../engine/config/value-at.js'
import { isKraftError } from '../../engine/errors/failure.js'
import { tableRequirements } from '../poetry.js'
import { readRequirements, requiredNames } from '../requirements.js'
import type { Finding } from './finding.js'
import { lineOf, type ProjectTree, readTree } from './tree.js'

/** What is said of a project's requirements, and its tree with their names. */
export interface SeenRequirements {
  readonly tree: ProjectTree
  readonly findings: readonly Finding[]
}

/**
 * Finds where a project says what it requires: requirements.txt, pyproject.toml (PEP 621, Poetry's table), Pipfile. What kraft does
 * not read by itself at a deploy becomes `packages:`, or something to do.
 *
 * @example seeRequirements('/home/ada/shop').tree.requires.has('django')
 */
export function seeRequirements(folder: string): SeenRequirements {
  const bare = readTree(folder, new Set())
  const findings: Finding[] = []
  let text = ''
  try {
    const read = readRequirements({ folder })
    text = read.text
    for (const file of read.files) findings.push({ what: `requirements of ${count(bare, file)}`.replace(/ of $/, ''), file })
  } catch (error) {
    if (!isKraftError(error) || error.failure.kind !== 'setting') throw error
    const { message, place, next } = error.failure
    const file = place?.file?.split('/').at(-1) ?? 'requirements.txt'
    const line = place !== undefined && 'line' in place ? place.line : undefined
    findings.push({
      what: 'requirements',
      file,
      ...(line === undefined ? {} : { line }),
      todo: `${message}. ${next ?? ''}`.trim(),
    })
    text = loose(bare)
  }
  if (findings.length === 0) {
    const { rows, found } = pipfile(bare)
    findings.push(...found, ...(found.length === 0 ? elsewhere(bare) : []))
    text = rows.join('\n') || loose(bare)
  }
  findings.push(...locks(bare))
  return { tree: { ...bare, requires: requiredNames(text) }, findings }
}

function count(tree: ProjectTree, file: string): string {
  const rows = (tree.read(file) ?? '').split('\n').filter((row) => /^\s*[A-Za-z]/.test(row)).length
  return file.endsWith('.txt') ? `${rows} ${rows === 1 ? 'package' : 'packages'}` : ''
}

function pipfile(tree: ProjectTree): { rows: readonly string[]; found: readonly Finding[] } {
  const text = tree.read('Pipfile')
  if (text === undefined) return { rows: [], found: [] }
  const place = { file: 'Pipfile', line: lineOf(text, /^\[packages\]/m) ?? 1 }
  try {
    const { packages, requires } = parse(text)
    const { rows, unreadable } = tableRequirements(isMap(packages) ? packages : {})
    const version = isMap(requires) && typeof requires.python_version === 'string' ? requires.python_version : undefined
    const python = /^3\.\d{1,2}$/.test(version ?? '') && version !== undefined ? { python: version } : {}
    const todo = unreadable.length === 0 ? {} : { todo: `Not taken along, because it is not on PyPI: ${unreadable.join(', ')}` }
    return {
      rows,
      found: [{ what: `requirements of ${rows.length} packages`, ...place, sets: { packages: rows, ...python }, ...todo }],
    }
  } catch {
    return { rows: [], found: [{ what: 'requirements', ...place, todo: 'This is not TOML: kraft can read no packages from it' }] }
  }
}

// Those of one environment each, as in requirements/production.txt.
function elsewhere(tree: ProjectTree): readonly Finding[] {
  const wanted = /(^|\/)(requirements[\w./-]*\.(txt|in))$/
  const found = tree.files.filter((file) => wanted.test(file))
  const best =
    found.find((file) => /prod|live|deploy/.test(file)) ?? found.find((file) => /base|common|main/.test(file)) ?? found[0]
  if (best === undefined) return []
  return [{ what: 'requirements', file: best, todo: `Write a requirements.txt with this line: -r ${best}` }]
}

// What writes the exact versions of a lock into a requirements.txt.
const exports = {
  'uv.lock': 'uv export --no-dev --no-emit-project --no-hashes -o requirements.txt',
  'poetry.lock': 'poetry export --without-hashes -o requirements.txt',
  'Pipfile.lock': 'pipenv requirements >requirements.txt',
}

function locks(tree: ProjectTree): readonly Finding[] {
  if (tree.read('requirements.txt') !== undefined) return []
  return Object.entries(exports).flatMap(([file, command]) =>
    tree.read(file) === undefined
      ? []
      : [{ what: 'locked versions', file, todo: `Its exact versions count only in a requirements.txt: ${command}` }],
  )
}

// Names only, for recognising things, where kraft can't install from it.
function loose(tree: ProjectTree): string {
  const files = tree.files.filter((file) => /(^|\/)(requirements[\w./-]*\.(txt|in)|setup\.cfg)$/.test(file))
  const quoted = [tree.read('setup.py') ?? '', tree.read('pyproject.toml') ?? '']
    .join('\n')
    .matchAll(/["']([A-Za-z][\w.-]*(\[[^\]]*\])?\s*([<>=~!;][^"'\n]*)?)["']/g)
  return [...files.map((file) => tree.read(file) ?? ''), ...[...quoted].map(([, name]) => name ?? '')].join('\n')
}
