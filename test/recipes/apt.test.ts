import { describe, expect, it } from 'vitest'
import { isKraftError } from '../../engine/errors/failure.js'
import { apt } from '../../recipes/apt.js'
import { runSteps } from '../rig/run-steps.js'

describe('apt', () => {
  it('is no step without packages', () => {
    expect(apt()).toEqual([])
  })

  it('finds what is installed, also by the name of what another package provides, and changes nothing', async () => {
    // Every Debian and Ubuntu has these; awk is no package of its own.
    const [step] = await runSteps(apt('dpkg', 'awk', 'no-such-package|coreutils'))
    expect(step?.status).toBe('ok')
  })

  it('says in a dry run what it would install', async () => {
    const [step] = await runSteps(apt('dpkg', 'no-such-package'), { mode: 'check' })
    expect(step).toMatchObject({ status: 'changes', output: 'install no-such-package' })
  })

  it.each(['-o', 'Nginx', 'nginx-', 'a b', 'a;b', '', 'nginx|', '../x'])('refuses %j, which is no package', (name) => {
    const call = () => apt('nginx', name)
    expect(call).toThrow(/is not the name of a Debian package/)
    try {
      call()
    } catch (error) {
      expect(isKraftError(error)).toBe(true)
    }
  })
})
