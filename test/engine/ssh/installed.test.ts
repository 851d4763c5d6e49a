import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programOf, unreadConfiguration } from '../../../engine/ssh/installed.js'
import { freshHome } from '../../rig/home.js'

const home = freshHome()

describe('a configuration of OpenSSH', () => {
  it('is said not to count where ssh is not installed', async () => {
    const file = await home.write('.ssh/config', 'Host one\n')
    process.env.PATH = home.project
    expect(unreadConfiguration(home.home)).toBe(
      `${file} does not count, because ssh is not installed here: install openssh-client`,
    )
  })

  it('is nothing to speak of where ssh is installed, or nobody wrote one', async () => {
    const path = process.env.PATH
    process.env.PATH = home.project
    expect(unreadConfiguration(home.home)).toBeUndefined()
    process.env.PATH = path
    await home.write('.ssh/config', 'Host one\n')
    expect(unreadConfiguration(home.home)).toBeUndefined()
  })
})

it('a program is found behind a folder of PATH that cannot be entered', async () => {
  const folder = join(home.home, 'circle')
  await symlink(folder, folder)
  process.env.PATH = `${folder}:${process.env.PATH}`
  expect(programOf('sh')?.[0]).toMatch(/\/sh$/)
  expect(programOf('no-such-program')).toBeUndefined()
})
