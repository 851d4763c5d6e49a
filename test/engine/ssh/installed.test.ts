import { describe, expect, it } from 'vitest'
import { unreadConfiguration } from '../../../engine/ssh/installed.js'
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
