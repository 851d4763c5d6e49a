import { execFile } from 'node:child_process'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { projectFiles as project } from '../../project/files.js'
import { revision } from '../../project/revision.js'
import { failureOf } from '../rig/failure.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const git = (...args: string[]) =>
  promisify(execFile)('git', ['-C', home.project, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args])
const projectFiles = async (folder: string) => (await project(folder)).entries.map(({ path }) => path)
const put = (path: string, text = '') => home.write(`calculator/${path}`, text)

beforeEach(async () => {
  await put('app/__init__.py')
  await put('app/models.py', 'x = 1\n')
})

describe('in a git repository', () => {
  beforeEach(async () => {
    await git('init', '-q')
    await put('.gitignore', 'secret.env\n/build/\n*.log\n')
    await git('add', '-A')
    await git('commit', '-qm', 'first')
  })

  it('are what is tracked and what is new, but nothing that is ignored', async () => {
    await put('new.py')
    await put('secret.env', 'KEY=1')
    await put('build/out.txt')
    await put('app/debug.log')
    expect(await projectFiles(home.project)).toEqual(['.gitignore', 'app/__init__.py', 'app/models.py', 'new.py'])
  })

  it('are as they stand now: what was deleted is gone, what is staged or not counts the same', async () => {
    await rm(join(home.project, 'app/models.py'))
    await put('staged.py')
    await git('add', 'staged.py')
    expect(await projectFiles(home.project)).toEqual(['.gitignore', 'app/__init__.py', 'staged.py'])
  })

  it('hold symbolic links as links, also broken ones and those to folders', async () => {
    await symlink('models.py', join(home.project, 'app/link.py'))
    await symlink('/nowhere', join(home.project, 'broken'))
    await symlink('app', join(home.project, 'folder'))
    expect(await projectFiles(home.project)).toEqual([
      '.gitignore',
      'app/__init__.py',
      'app/link.py',
      'app/models.py',
      'broken',
      'folder',
    ])
  })

  it('have names of any kind', async () => {
    const odd = ['with space.py', "it's.py", 'bär.txt', 'new\nline', '-rf', '$(id)', '*']
    for (const name of odd) await put(name)
    expect(await projectFiles(home.project)).toEqual(expect.arrayContaining(odd))
  })

  it('of a project below the root of its repository are its own', async () => {
    await put('sites/shop/app.py')
    await put('sites/other/app.py')
    await git('add', '-A')
    expect(await projectFiles(join(home.project, 'sites/shop'))).toEqual(['app.py'])
  })

  it('are never caches, virtualenvs or bundles, whatever git thinks', async () => {
    for (const path of [
      'venv/bin/python',
      '.venv/x',
      'app/__pycache__/a.pyc',
      'app/old.pyc',
      'node_modules/a/b.js',
      '.idea/x',
      'before.bundle',
    ])
      await put(path)
    await git('add', '-Af')
    expect(await projectFiles(home.project)).toEqual(['.gitignore', 'app/__init__.py', 'app/models.py'])
  })

  it('leave a submodule out and say so; .kraftignore takes it in', async () => {
    await mkdir(join(home.project, 'lib'))
    await promisify(execFile)('git', ['init', '-q', join(home.project, 'lib')])
    await put('lib/code.py')
    expect(await project(home.project)).toMatchObject({ repositories: ['lib'] })
    expect(await projectFiles(home.project)).toEqual(['.gitignore', 'app/__init__.py', 'app/models.py'])
    await put('.kraftignore', '!/lib/\n')
    expect(await projectFiles(home.project)).toContain('lib/code.py')
  })

  it('are those that git ignores as well where .kraftignore takes them in, and fewer where it leaves them out', async () => {
    for (const path of ['build/app.js', 'build/app.js.map', 'secret.env', 'docs/index.md', 'app/debug.log']) await put(path)
    await put('build/.gitignore', '*.map\n')
    await put('.kraftignore', '!/build/\n/docs/\n.gitignore\n')
    await put('app/.kraftignore', '!debug.log\n')
    expect(await projectFiles(home.project)).toEqual([
      '.kraftignore',
      'app/.kraftignore',
      'app/__init__.py',
      'app/debug.log',
      'app/models.py',
      'build/app.js',
    ])
  })

  it('of a folder that its repository ignores, as one of a whole home does, are as without git', async () => {
    await writeFile(join(home.home, '.gitignore'), '*\n')
    await rm(join(home.project, '.git'), { recursive: true })
    await promisify(execFile)('git', ['init', '-q', home.home])
    expect(await projectFiles(home.project)).toEqual(['.gitignore', 'app/__init__.py', 'app/models.py'])
    expect(await revision(home.project)).toMatchObject({ commit: undefined })
  })

  it('are not guessed where git refuses: what it ignores would be uploaded', async () => {
    await put('secret.env', 'KEY=1')
    await writeFile(join(home.project, '.git/config'), 'not a config [')
    expect(await failureOf(projectFiles(home.project))).toMatchObject({
      kind: 'task',
      said: expect.stringContaining('git could not tell'),
    })
  })

  it('are not guessed where git is missing', async () => {
    process.env.PATH = '/nowhere'
    expect(await failureOf(projectFiles(home.project))).toMatchObject({ kind: 'task', next: expect.stringContaining('Install') })
  })

  it('are those of the folder also where a hook of git calls, which names another repository', async () => {
    await put('sites/shop/app.py')
    process.env.GIT_DIR = '.git'
    process.env.GIT_INDEX_FILE = '.git/other'
    expect(await projectFiles(join(home.project, 'sites/shop'))).toEqual(['app.py'])
    expect((await revision(join(home.project, 'sites/shop'))).commit).toMatch(/^[0-9a-f]{40}$/)
  })

  it('have a commit, and are dirty where they differ from it', async () => {
    const { commit, dirty, name } = await revision(home.project)
    expect(name).toMatch(/^(main|master)$/)
    expect(commit).toMatch(/^[0-9a-f]{40}$/)
    expect(dirty).toBe(false)
    await chmod(join(home.project, 'app/models.py'), 0o755)
    expect((await revision(home.project)).dirty).toBe(true)
  })

  it('before the first commit have none, and are of a branch', async () => {
    await rm(join(home.project, '.git'), { recursive: true })
    await git('init', '-q')
    const { commit, dirty, name } = await revision(home.project)
    expect([commit, dirty]).toEqual([undefined, true])
    expect(name).toMatch(/^(main|master)$/)
    expect(await projectFiles(home.project)).toContain('app/models.py')
  })
})

describe('without git', () => {
  it('are all files but caches and virtualenvs', async () => {
    for (const path of ['venv/bin/python', 'app/__pycache__/a.pyc', 'app/old.pyc', '.env', 'media/a b.png']) await put(path)
    await symlink('app', join(home.project, 'link'))
    expect(await projectFiles(home.project)).toEqual(['.env', 'app/__init__.py', 'app/models.py', 'link', 'media/a b.png'])
    expect(await revision(home.project)).toEqual({ commit: undefined, name: undefined, dirty: false })
  })

  it('heed .gitignore and .kraftignore all the same', async () => {
    for (const path of ['.env', 'app/debug.log', 'build/a.js', 'build/a.map', 'docs/x']) await put(path)
    await put('.gitignore', '.env\n*.log\n/build/\n')
    await put('build/.gitignore', '*.map\n')
    await put('.kraftignore', 'docs\n!/build/\n')
    expect(await projectFiles(home.project)).toEqual([
      '.gitignore',
      '.kraftignore',
      'app/__init__.py',
      'app/models.py',
      'build/.gitignore',
      'build/a.js',
    ])
  })

  it('hold empty folders, and none that is only emptied by rules', async () => {
    await mkdir(join(home.project, 'media/new'), { recursive: true })
    await put('logs/a.log')
    await put('.gitignore', '*.log')
    expect((await project(home.project)).entries).toContainEqual({ path: 'media/new', type: 'folder' })
    expect(await projectFiles(home.project)).not.toContain('logs')
  })

  it('are refused where one is a pipe, a socket or a device, unless that is left out', async () => {
    await promisify(execFile)('mkfifo', [join(home.project, 'app/pipe')])
    expect(await failureOf(projectFiles(home.project))).toMatchObject({
      kind: 'task',
      said: expect.stringContaining("app/pipe is a named pipe and can't be sent"),
      next: expect.stringContaining('.kraftignore'),
    })
    await put('.kraftignore', 'pipe\n')
    expect(await projectFiles(home.project)).toContain('app/models.py')
  })

  it('are refused where a name is not UTF-8, unless that is left out', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${home.project}/caf`), Buffer.from([0xe9])]), '')
    expect(await failureOf(projectFiles(home.project))).toMatchObject({ said: expect.stringContaining('is not UTF-8') })
    await put('.kraftignore', 'caf?*\n')
    expect(await projectFiles(home.project)).toContain('app/models.py')
  })
})
