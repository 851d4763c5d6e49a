import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { isKraftError } from '../../engine/errors/failure.js'
import { loadProject } from '../../project/settings.js'
import { packageName, type SkeletonRequest, writeSkeleton } from '../../project/skeleton.js'

const run = promisify(execFile)
const builtIn = join(import.meta.dirname, '../../templates')
const frameworks = ['django', 'flask', 'wsgi']
let parent: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'kraft-skeleton-'))
})
afterEach(() => rm(parent, { recursive: true, force: true }))

function init(change: Partial<SkeletonRequest> = {}): Promise<string[]> {
  const folder = join(parent, 'my-shop')
  return writeSkeleton({ folder, name: 'my-shop', framework: 'django', templates: [builtIn], version: '1.2.3', ...change })
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(parent, path, '..'), { recursive: true })
  await writeFile(join(parent, path), text)
}

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isKraftError(error)) throw new TypeError('A KraftError was expected', { cause: error })
  return error.failure
}

describe.each(frameworks)('the skeleton for %s', (framework) => {
  it('has Python that compiles, settings that kraft reads, and no trace of the template', async () => {
    const files = await init({ framework })
    const folder = join(parent, 'my-shop')
    for (const file of files) expect(await readFile(join(folder, file), 'utf8'), file).not.toMatch(/<%|%>/)
    expect(files).toEqual(
      expect.arrayContaining(['kraftwerk.yaml', 'kraftfile.ts', 'requirements.txt', '.gitignore', 'README.md']),
    )
    expect(files.join()).not.toContain('__name__')
    expect(files).toContain('my_shop/wsgi.py')
    expect(files.some((file) => file.startsWith('my_shop/static/'))).toBe(true)
    await run('python3', ['-m', 'compileall', '-q', folder])
    const project = await loadProject(folder, { services: ['postgres', 'files'], vaults: ['op'] })
    expect(project?.name).toBe('my-shop')
    expect(project?.environments.stage).toMatchObject({ name: 'my-shop-stage' })
    expect(project?.settings).toMatchObject({
      wsgi: 'my_shop.wsgi:application',
      package: 'my_shop',
      health: { path: '/healthz' },
    })
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('1.2.3')
  })
})

it('without a framework a page takes its static files from where the environment says, and is healthy without any', async () => {
  await init({ framework: 'wsgi' })
  const ask = async (path: string, env: NodeJS.ProcessEnv) => {
    const code = `from my_shop.wsgi import application
print(b''.join(application({'PATH_INFO': '${path}'}, lambda status, headers: print(status))).decode())`
    return (await run('python3', ['-B', '-c', code], { cwd: join(parent, 'my-shop'), env: { ...process.env, ...env } })).stdout
  }
  expect(await ask('/', {})).toContain('href="/static/site.css"')
  const given = { STATIC_URL: 'https://cdn.test/shop/', KRAFT_RELEASE: '20261128-010203' }
  expect(await ask('/', given)).toMatch(/href="https:\/\/cdn\.test\/shop\/site\.css"[\s\S]*<code>20261128-010203</)
  expect(await ask('/healthz', {})).toBe('200 OK\nok\n\n')
  expect(await ask('/static/site.css', {})).toContain('font:')
})

it.each([
  ['django', 'my_shop/settings.py', ['DATABASE_URL', 'STATIC_URL', 'STATIC_ROOT', 'CDN_HOST', 'UPLOADS_PATH', 'UPLOADS_URL']],
  ['flask', 'my_shop/__init__.py', ['DATABASE_URL', 'STATIC_URL', 'UPLOADS_PATH', 'UPLOADS_URL']],
])('the skeleton for %s reads what kraft gives', async (framework, file, names) => {
  await init({ framework })
  const text = await readFile(join(parent, 'my-shop', file), 'utf8')
  for (const name of ['SECRET_KEY', 'ALLOWED_HOSTS', 'KRAFT_RELEASE', ...names]) expect(text).toContain(`"${name}"`)
})

it('what is commented out in kraftwerk.yaml is right as well', async () => {
  await init()
  const text = await readFile(join(parent, 'my-shop/kraftwerk.yaml'), 'utf8')
  await writeFile(join(parent, 'my-shop/kraftwerk.yaml'), text.replaceAll(/^( +)# (?=domain|live| {2})/gm, '$1'))
  const project = await loadProject(join(parent, 'my-shop'), { services: ['postgres', 'files'], vaults: ['op'] })
  expect(project?.environments.stage).toMatchObject({ domain: 'stage.my-shop.example.com' })
  expect(project?.environments.live).toMatchObject({ live: true, domain: 'my-shop.example.com' })
})

it('a script stays executable', async () => {
  await init()
  expect((await stat(join(parent, 'my-shop/manage.py'))).mode & 0o111).toBe(0o111)
  expect((await stat(join(parent, 'my-shop/README.md'))).mode & 0o111).toBe(0)
})

it("a user's folder of templates replaces file by file and adds files", async () => {
  await write('mine/skeleton/django/README.md', 'Not a <%- template %>')
  await write('mine/skeleton/django/deploy/__name__.conf.ejs', 'for <%- package %> & <%= name %>')
  const files = await init({ templates: [join(parent, 'mine'), builtIn] })
  expect(await readFile(join(parent, 'my-shop/README.md'), 'utf8')).toBe('Not a <%- template %>')
  expect(await readFile(join(parent, 'my-shop/deploy/my_shop.conf'), 'utf8')).toBe('for my_shop & my-shop')
  expect(files).toContain('manage.py')
})

it("a user's own framework needs no part of kraft's", async () => {
  await write('mine/skeleton/bottle/app.py.ejs', '# <%- name %>')
  expect(await init({ framework: 'bottle', templates: [builtIn, join(parent, 'mine')] })).toEqual(['app.py'])
})

it("a folder of the user's own is the project, rendered, without its repository and kraft's parts", async () => {
  await write('own/__name__/app.py.ejs', '# <%- name %>')
  await write('own/.gitignore', '.venv/')
  await write('own/.git/config', '')
  expect(await init({ template: join(parent, 'own') })).toEqual(['.gitignore', 'my_shop/app.py'])
  expect(await readFile(join(parent, 'my-shop/my_shop/app.py'), 'utf8')).toBe('# my-shop')
})

it('an empty folder is filled, one that holds something is refused and stays as it was', async () => {
  await mkdir(join(parent, 'my-shop'))
  await init()
  const before = await readdir(join(parent, 'my-shop'))
  expect(await failureOf(init())).toMatchObject({ kind: 'usage', message: expect.stringContaining('is not empty') })
  expect(await readdir(join(parent, 'my-shop'))).toEqual(before)
  await write('file', '')
  expect(await failureOf(init({ folder: join(parent, 'file') }))).toMatchObject({ message: expect.stringContaining('is a file') })
})

it('a mistake in a template names file and line and leaves nothing', async () => {
  await write('mine/skeleton/django/notes.txt.ejs', 'one\n<%- nothing %>\n')
  const failure = await failureOf(init({ templates: [join(parent, 'mine'), builtIn] }))
  const file = join(parent, 'mine/skeleton/django/notes.txt.ejs')
  expect(failure).toMatchObject({
    kind: 'setting',
    place: { file, line: 2 },
    message: expect.stringContaining('nothing is not defined'),
  })
  expect(await readdir(parent)).toEqual(['mine'])
})

it('a project that cannot be written leaves nothing', async () => {
  await write('mine/skeleton/django/README.md/inside.txt', 'a folder where kraft has a file')
  const failure = await failureOf(init({ folder: join(parent, 'new/my-shop'), templates: [join(parent, 'mine'), builtIn] }))
  expect(failure).toMatchObject({ kind: 'task' })
  expect(await readdir(parent)).toEqual(['mine'])
})

it('an unknown framework names the near one and all', async () => {
  expect(await failureOf(init({ framework: 'djnago' }))).toEqual({
    kind: 'usage',
    message: 'There is no skeleton "djnago". Did you mean "django"?',
    next: 'Take one of: django, flask, wsgi.',
  })
})

it.each([
  ['class', 'a word of Python'],
  ['test', 'Python brings'],
  ['site', 'Python brings'],
  ['django', 'installed beside'],
  ['sessions', 'installed beside'],
  ['static', 'beside the package'],
  ['www-data', 'taken on every node'],
  ['2fast', 'starts with a letter'],
  ['MyShop', 'small letters'],
  ['../shop', 'small letters'],
  ['shop-', 'does not end with'],
  ['x'.repeat(26), '25 characters'],
])('the name %s is refused', async (name, why) => {
  expect(await failureOf(init({ name }))).toMatchObject({ kind: 'usage', message: expect.stringContaining(why) })
  expect(await readdir(parent)).toEqual([])
})

it('every module of this Python is refused as a name', async () => {
  const { stdout } = await run('python3', ['-c', 'import sys; print(*sys.stdlib_module_names)'])
  const plain = stdout
    .trim()
    .split(/\s/)
    .filter((name) => /^[a-z][a-z0-9_]*[a-z0-9]$/.test(name))
  for (const name of plain) expect(() => packageName(name), name).toThrow("can't be called")
})

it('the examples are projects that kraft reads', async () => {
  const examples = join(import.meta.dirname, '../../examples')
  const [guestbook, httpbin, poster] = await Promise.all(
    ['guestbook', 'httpbin', 'poster'].map((name) =>
      loadProject(join(examples, name), { services: ['postgres', 'files'], vaults: ['op'] }),
    ),
  )
  expect(Object.keys(guestbook?.environments ?? {})).toEqual(['stage', 'live'])
  expect(httpbin?.settings.wsgi).toBe('httpbin:app')
  expect(poster?.environments.live?.static_bucket).toMatchObject({ bucket: 'poster-static' })
  expect(parse(await readFile(join(examples, 'guestbook/kraftwerk.yaml'), 'utf8'))).not.toHaveProperty('domain')
})
