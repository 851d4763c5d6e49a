import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Failure, isKraftError } from '../../engine/errors/failure.js'
import { constrained, readRequirements, requiredNames } from '../../project/requirements.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraft-requirements-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function failure(): Failure {
  try {
    readRequirements({ folder })
  } catch (error) {
    if (isKraftError(error)) return error.failure
    throw error
  }
  throw new TypeError('A KraftError was expected')
}

it('a project that says nothing requires nothing', () => {
  expect(readRequirements({ folder })).toMatchObject({ sources: [], text: '', files: [] })
})

it('packages come besides requirements.txt, and pyproject.toml counts only without one', () => {
  write('pyproject.toml', '[project]\ndependencies = ["flask >= 3", "redis; python_version > \'3.8\'"]\n')
  expect(readRequirements({ folder, packages: ['django', 'psycopg[binary]'] })).toMatchObject({
    sources: ['packages', 'pyproject.toml'],
    text: "django\npsycopg[binary]\nflask >= 3\nredis; python_version > '3.8'\n",
    files: ['pyproject.toml'],
  })
  write('requirements.txt', 'pillow\n')
  write('pyproject.toml', '[project]\ndynamic = ["dependencies"]\n')
  expect(readRequirements({ folder, packages: ['django'] })).toMatchObject({
    sources: ['packages', 'requirements.txt'],
    text: 'django\npillow\n',
  })
})

it('comments, blanks and line ends change neither the text nor the hash', () => {
  write('requirements.txt', 'django~=5.2\npillow==11 --hash=sha256:1 --hash=sha256:2\nx @ https://example.com/x.zip#egg=x\n')
  const plain = readRequirements({ folder })
  write(
    'requirements.txt',
    '\uFEFF# ours\r\n\r\ndjango~=5.2   # the framework\r\npillow==11 \\\r\n    --hash=sha256:1 \\\r\n --hash=sha256:2\r\nx @ https://example.com/x.zip#egg=x',
  )
  expect(readRequirements({ folder })).toEqual(plain)
  expect(plain.text).toContain('x.zip#egg=x\n')
})

it('includes are resolved from the file that names them, once, and constraints stand apart', () => {
  write('requirements.txt', '-r requirements/base.txt\n--requirement=requirements/live.txt\n-c limits.txt\n')
  write('requirements/base.txt', 'django\n')
  write('requirements/live.txt', '-rbase.txt\npsycopg\n')
  write('limits.txt', 'django<6\n')
  expect(readRequirements({ folder })).toMatchObject({
    text: 'django\npsycopg\n',
    constraints: 'django<6\n',
    files: ['requirements.txt', 'requirements/base.txt', 'requirements/live.txt', 'limits.txt'],
  })
  const before = readRequirements({ folder }).hashInput
  write('limits.txt', 'django<5\n')
  expect(readRequirements({ folder }).hashInput).not.toBe(before)
})

it('an include that is not there is named with the line that wants it', () => {
  write('requirements.txt', 'django\n\n-r base.txt\n')
  expect(failure()).toMatchObject({
    kind: 'setting',
    message: 'base.txt does not exist',
    place: { file: join(folder, 'requirements.txt'), line: 3 },
  })
})

it('files that include each other end', () => {
  write('requirements.txt', '-r other.txt\ndjango\n')
  write('other.txt', '-r requirements.txt\nflask\n')
  expect(readRequirements({ folder }).text).toBe('flask\ndjango\n')
})

it('a wheel in the project is named from its folder and counts in the hash with its content', () => {
  write('deps/requirements.txt', './shop-1.0-py3-none-any.whl[s3] ; python_version > "3"\n--find-links wheels\n')
  write('requirements.txt', '-r deps/requirements.txt\n')
  write('deps/shop-1.0-py3-none-any.whl', 'one')
  const before = readRequirements({ folder })
  expect(before.text).toBe('./deps/shop-1.0-py3-none-any.whl[s3] ; python_version > "3"\n--find-links deps/wheels\n')
  write('deps/shop-1.0-py3-none-any.whl', 'two')
  expect(readRequirements({ folder }).hashInput).not.toBe(before.hashInput)
  expect(readRequirements({ folder }).text).toBe(before.text)
})

it('the project itself stands for what its pyproject.toml requires', () => {
  write('requirements.txt', '-e .[s3]\n')
  write('pyproject.toml', '[project]\ndependencies = ["django"]\n[project.optional-dependencies]\ns3 = ["boto3"]\n')
  expect(readRequirements({ folder }).text).toBe('django\nboto3\n')
})

it.each([
  ['-e .\n', 'kraft puts the project on the path itself'],
  ['./lib\n', 'Build a wheel'],
  ['../elsewhere.whl\n', 'does not exist'],
  ['./gone.whl\n', 'does not exist'],
])('%j can not be installed on a node, and the message says why', (text, why) => {
  write('lib/setup.py', '')
  write('requirements.txt', text)
  expect(JSON.stringify(failure())).toContain(why)
  expect(failure()).toMatchObject({ kind: 'setting', place: { line: 1 } })
})

it.each([
  'git+https://example.com/x.git',
  '-e git+https://example.com/x.git#egg=x',
  '--index-url https://pypi.example.com/simple',
  'x @ file:///srv/x.whl',
])('%s goes to pip as it is', (row) => {
  write('requirements.txt', `${row}\n`)
  expect(readRequirements({ folder }).text).toBe(`${row}\n`)
})

it.each([
  ['[project\n', 'This is not TOML'],
  ['[project]\ndependencies = "django"\n', 'project.dependencies is not as PEP 621 says'],
  ['[project]\ndynamic = ["dependencies"]\n', 'dynamic'],
  ['[tool.poetry.dependencies]\nshop = { git = "https://example.com/shop.git" }\n', 'Poetry'],
])('pyproject.toml with %j is refused with its place', (text, why) => {
  write('pyproject.toml', text)
  expect(failure()).toMatchObject({
    kind: 'setting',
    message: expect.stringContaining(why),
    place: { file: join(folder, 'pyproject.toml') },
  })
})

it('a pyproject.toml that only configures tools is no source', () => {
  write('pyproject.toml', '[tool.ruff]\nline-length = 100\n')
  expect(readRequirements({ folder }).sources).toEqual([])
})

it('more constraints stand behind those of the project, and make another hash', () => {
  write('requirements.txt', 'six\n-c limits.txt\n')
  write('limits.txt', 'six<2\n')
  const own = readRequirements({ folder })
  const more = constrained(own, ['six==1.15.0'])
  expect([more.text, more.constraints]).toEqual(['six\n', 'six<2\nsix==1.15.0\n'])
  expect(more.hashInput).not.toBe(own.hashInput)
  expect(constrained(own, ['six==1.15.0']).hashInput).toBe(more.hashInput)
})

it('names are compared as PyPI compares them', () => {
  const text =
    'Django~=5.2\ndj_database.url>=2 ; python_version > "3"\npsycopg[binary]\nx @ git+https://e.com/y\n--index-url https://e.com\ngit+https://e.com/z\n./vendor/w.whl\n'
  expect([...requiredNames(text)]).toEqual(['django', 'dj-database-url', 'psycopg', 'x'])
})
