import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { projectFiles } from '../../project/files.js'
import { checkOut, revision } from '../../project/revision.js'
import { describeCode } from '../../recipes/state.js'
import { failureOf } from '../rig/failure.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const git = (...args: string[]) =>
  execFileSync('git', ['-C', home.project, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args])
    .toString()
    .trim()
const put = (path: string, text = '') => home.write(`calculator/${path}`, text)
const out = () => mkdtempSync(join(home.home, 'out-'))

beforeEach(async () => {
  git('init', '-q')
  await put('app/models.py', 'one\n')
  await put('bin/run', '#!/bin/sh\n')
  chmodSync(join(home.project, 'bin/run'), 0o755)
  symlinkSync('models.py', join(home.project, 'app/link.py'))
  await put('.gitattributes', '*.txt text eol=crlf\n')
  await put('app/a.txt', 'line\n')
  await put('.kraftignore', 'docs\n')
  await put('docs/x')
  git('add', '-A')
  git('commit', '-qm', 'first')
  git('tag', '-a', 'v1.2', '-m', 'x')
  await put('app/models.py', 'two\n')
  git('commit', '-qam', 'second')
  await put('app/models.py', 'not yet\n')
  git('add', 'app/models.py')
  await put('new.py')
})

test('a revision is written as git would check it out, and the working tree stays as it is', async () => {
  const before = git('status', '--porcelain')
  const { folder, revision } = await checkOut(home.project, 'v1.2', out())
  expect(revision).toEqual({ commit: git('rev-parse', 'v1.2^{commit}'), name: 'v1.2', dirty: false })
  expect((await projectFiles(folder)).entries.map(({ path }) => path)).toEqual([
    '.gitattributes',
    '.kraftignore',
    'app/a.txt',
    'app/link.py',
    'app/models.py',
    'bin/run',
  ])
  expect(readFileSync(join(folder, 'app/models.py'), 'utf8')).toBe('one\n')
  expect(readFileSync(join(folder, 'app/a.txt'), 'utf8')).toBe('line\r\n')
  expect(readlinkSync(join(folder, 'app/link.py'))).toBe('models.py')
  expect(lstatSync(join(folder, 'bin/run')).mode & 0o100).toBe(0o100)
  expect(git('status', '--porcelain')).toBe(before)
  expect(git('symbolic-ref', '--short', 'HEAD')).toMatch(/^(main|master)$/)
})

test('a project below the root of its repository is that folder of the revision', async () => {
  const { folder } = await checkOut(join(home.project, 'app'), 'HEAD~1', out())
  expect((await projectFiles(folder)).entries.map(({ path }) => path)).toEqual(['a.txt', 'link.py', 'models.py'])
  expect(readFileSync(join(folder, 'models.py'), 'utf8')).toBe('one\n')
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('line\r\n')
})

test('a revision before the project was there is refused', async () => {
  await put('later/app.py')
  git('add', '-A')
  git('commit', '-qm', 'third')
  expect(await failureOf(checkOut(join(home.project, 'later'), 'v1.2', out()))).toMatchObject({
    kind: 'task',
    next: 'Is there a folder later/ in v1.2?',
  })
})

test('what is no revision is refused, also where it looks like an option', async () => {
  for (const name of ['v9', '--all', '-h', '', 'v1.2:app/models.py', 'HEAD..v1.2']) {
    expect(await failureOf(checkOut(home.project, name, out())), name).toMatchObject({ kind: 'usage' })
  }
})

test('before its first commit a repository has a branch, and all in it is new', async () => {
  rmSync(join(home.project, '.git'), { recursive: true })
  expect(await revision(home.project)).toEqual({ commit: undefined, name: undefined, dirty: false })
  git('init', '-q', '-b', 'begun')
  const found = await revision(home.project)
  expect(found).toEqual({ commit: undefined, name: 'begun', dirty: true })
  expect(describeCode({ commit: null, revision: found.name, dirty: found.dirty })).toBe('begun before its first commit')
  expect(describeCode({ commit: 'a'.repeat(40), revision: 'main', dirty: true })).toBe('main aaaaaaaaaa with changes')
  expect(describeCode({ dirty: false })).toBe('')
})

test('without a repository there is no revision', async () => {
  rmSync(join(home.project, '.git'), { recursive: true })
  expect(await failureOf(checkOut(home.project, 'v1.2', out()))).toMatchObject({
    kind: 'usage',
    said: expect.stringContaining('needs a git repository'),
  })
})

test('files that are ignored now but were tracked then belong to it', async () => {
  writeFileSync(join(home.project, '.gitignore'), 'bin/\n')
  const { folder } = await checkOut(home.project, 'v1.2', out())
  expect((await projectFiles(folder)).entries.map(({ path }) => path)).toContain('bin/run')
})
