import { lstat, readFile, readlink, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { include, includeLine, isIncluded, nodesConfig, userConfig } from '../../../engine/ssh/include.js'
import { freshHome } from '../../rig/home.js'

const at = freshHome()
const others = 'Host one\n  User me\n\nMatch all\n  Compression yes\n'

describe('the line in ~/.ssh/config', () => {
  it('stands before all others, which stay as they are', async () => {
    await at.write('.ssh/config', others)
    await include()
    expect(await readFile(userConfig(), 'utf8')).toBe(
      `# kraft: ssh knows its nodes by name\nInclude ${nodesConfig()}\n\n${others}`,
    )
    expect(await isIncluded()).toBe(true)
  })

  it('makes the file and its folder, for the user alone', async () => {
    await include()
    expect((await stat(userConfig())).mode & 0o777).toBe(0o600)
    expect((await stat(join(at.home, '.ssh'))).mode & 0o777).toBe(0o700)
    expect(await readFile(userConfig(), 'utf8')).toMatch(/\nInclude \S+\n$/)
  })

  it('goes where a link leads', async () => {
    await at.write('dotfiles/ssh', others)
    await at.write('.ssh/.keep', '')
    await symlink('../dotfiles/ssh', userConfig())
    await include()
    expect((await lstat(userConfig())).isSymbolicLink()).toBe(true)
    expect(await readlink(userConfig())).toBe('../dotfiles/ssh')
    expect(await readFile(join(at.home, 'dotfiles/ssh'), 'utf8')).toContain(includeLine())
  })
})

it.each([
  ['one of our own', () => includeLine()],
  ['one of the user, in small letters', () => `  include=${nodesConfig()}`],
  ['one with ~', () => 'Include ~/.kraftwerk/ssh_config'],
  ['one in quotes', () => `Include "${nodesConfig()}"`],
])('%s counts', async (_, line) => {
  await at.write('.ssh/config', `Host *\n${line()}\n`)
  expect(await isIncluded()).toBe(true)
})

it.each([
  ['no file', undefined],
  ['another file', 'Include ~/.ssh/work\n'],
  ['a comment', '# Include ~/.kraftwerk/ssh_config\n'],
])('%s does not', async (_, text) => {
  if (text !== undefined) await at.write('.ssh/config', text)
  expect(await isIncluded()).toBe(false)
})
