import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { absent, directory, file, link } from '../../recipes/file.js'
import { runSteps } from '../rig/run-steps.js'

const me = { owner: userInfo().username, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() }
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kraft file's "))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const statuses = async (steps: readonly Step[]) => (await runSteps(steps)).map(({ status }) => status)
const mode = (path: string) => (lstatSync(path).mode & 0o7777).toString(8)

describe('file', () => {
  it('writes content byte for byte with its mode, then has nothing to do', async () => {
    const path = join(folder, 'a b')
    const steps = file({ path, content: `it's $HOME\n\ttab \\n no newline`, mode: '0640', ...me })
    expect(await statuses(steps)).toEqual(['changed'])
    expect(readFileSync(path, 'utf8')).toBe(`it's $HOME\n\ttab \\n no newline`)
    expect(mode(path)).toBe('640')
    expect(await statuses(steps)).toEqual(['ok'])
    expect(readdirSync(folder)).toEqual(['a b'])
  })

  it('puts a wrong mode right', async () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'x\n', { mode: 0o600 })
    const [dry] = await runSteps(file({ path, content: 'x\n', ...me }), { mode: 'check' })
    expect(dry).toMatchObject({ status: 'changes', output: expect.stringMatching(/:600 becomes .*:644$/) })
    expect(await statuses(file({ path, content: 'x\n', ...me }))).toEqual(['changed'])
    expect(mode(path)).toBe('644')
  })

  it('shows a diff and changes nothing in a dry run', async () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'old\n', { mode: 0o644 })
    const [dry] = await runSteps(file({ path, content: 'new\n', ...me }), { mode: 'check' })
    expect(dry?.status).toBe('changes')
    expect(dry?.output).toBe(`--- ${path}\n+++ ${path} (new)\n@@ -1 +1 @@\n-old\n+new`)
    expect(readFileSync(path, 'utf8')).toBe('old\n')
  })

  it('keeps secrets to itself: mode 0600 and no diff', async () => {
    const path = join(folder, 'key')
    writeFileSync(path, 'old key\n')
    const steps = file({ path, content: secret('hush-hush\n'), ...me })
    const [dry] = await runSteps(steps, { mode: 'check' })
    expect(dry?.output).toContain('which is secret')
    expect(`${dry?.output}${JSON.stringify(steps)}`).not.toMatch(/hush-hush|old key/)
    const [done] = await runSteps(steps)
    expect(done).toMatchObject({ status: 'changed', output: '' })
    expect(mode(path)).toBe('600')
    expect(readFileSync(path, 'utf8')).toBe('hush-hush\n')
    expect(await statuses(steps)).toEqual(['ok'])
  })

  it('replaces a link instead of following it', async () => {
    const path = join(folder, 'link')
    writeFileSync(join(folder, 'target'), 'same\n', { mode: 0o644 })
    symlinkSync('target', path)
    expect(await statuses(file({ path, content: 'same\n', ...me }))).toEqual(['changed'])
    expect(lstatSync(path).isSymbolicLink()).toBe(false)
  })

  it('keeps the old file and leaves nothing behind when the new one is not valid', async () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'good\n')
    const [done] = await runSteps(file({ path, content: 'bad\n', validate: sh`grep good "$KRAFT_FILE"`, ...me }))
    expect(done?.status).toBe('failed')
    expect(readFileSync(path, 'utf8')).toBe('good\n')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it('runs its handler once, and only after a change', async () => {
    const notify = [{ name: 'note', apply: sh`echo ran` }]
    const steps = [
      ...file({ path: join(folder, 'a'), content: 'a\n', notify, ...me }),
      ...file({ path: join(folder, 'b'), content: 'b\n', notify, ...me }),
    ]
    expect(await statuses(steps)).toEqual(['changed', 'changed', 'handled'])
    expect(await statuses(steps)).toEqual(['ok', 'ok'])
  })

  it.each(['relative', '/a/../b', '/a/', '//a'])('refuses the path %s', (path) => {
    expect(() => file({ path, content: '' })).toThrow('is not a plain absolute path')
  })

  it('refuses a mode that is not octal', () => {
    expect(() => file({ path: '/a', content: '', mode: 'u+w' })).toThrow('is not an octal mode')
  })
})

describe('directory', () => {
  it('is made with its parents and mode, then has nothing to do', async () => {
    const path = join(folder, 'one/two')
    const steps = directory({ path, mode: '2750', ...me })
    expect(await statuses(steps)).toEqual(['changed'])
    expect(mode(path)).toBe('2750')
    expect(await statuses(steps)).toEqual(['ok'])
  })

  it('fails on a link in its place and says so', async () => {
    const path = join(folder, 'link')
    symlinkSync(tmpdir(), path)
    const [done] = await runSteps(directory({ path, ...me }))
    expect(done).toMatchObject({ status: 'failed', output: expect.stringContaining('is a symbolic link') })
  })
})

describe('link', () => {
  it('is made, moved in one rename, then has nothing to do', async () => {
    const path = join(folder, 'current')
    expect(await statuses(link({ path, to: 'releases/1' }))).toEqual(['changed'])
    mkdirSync(join(folder, 'releases/1'), { recursive: true })
    expect(await statuses(link({ path, to: 'releases/2' }))).toEqual(['changed'])
    expect(readlinkSync(path)).toBe('releases/2')
    expect(await statuses(link({ path, to: 'releases/2' }))).toEqual(['ok'])
    expect(readdirSync(folder).sort()).toEqual(['current', 'releases'])
  })

  it('never goes into or over a directory in its place', async () => {
    const path = join(folder, 'current')
    mkdirSync(path)
    const [done] = await runSteps(link({ path, to: 'x' }))
    expect(done).toMatchObject({ status: 'failed', output: expect.stringContaining('is a directory') })
    expect(readdirSync(path)).toEqual([])
  })
})

describe('absent', () => {
  it('removes files, dangling links and full directories, then has nothing to do', async () => {
    writeFileSync(join(folder, 'file'), '')
    symlinkSync('nowhere', join(folder, 'link'))
    mkdirSync(join(folder, 'full/of'), { recursive: true })
    const steps = ['file', 'link', 'full'].flatMap((name) => absent(join(folder, name)))
    expect(await statuses(steps)).toEqual(['changed', 'changed', 'changed'])
    expect(readdirSync(folder)).toEqual([])
    expect(await statuses(steps)).toEqual(['ok', 'ok', 'ok'])
  })

  it.each(['/', '/etc'])('refuses %s', (path) => {
    expect(() => absent(path)).toThrow('is too much to remove')
  })
})
