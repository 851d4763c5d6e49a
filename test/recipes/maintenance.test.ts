import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { closeSite, openSite } from '../../recipes/maintenance.js'
import { runSteps } from '../rig/run-steps.js'

// The scripts of the node, run here by whoever runs the tests, in whose group the files are then.
it('of several who close a site at once one counts, and the site is closed', async () => {
  const home = mkdtempSync(join(tmpdir(), 'kraft-maintenance-'))
  const place = { name: execFileSync('id', ['-gn']).toString().trim(), home }
  const folder = join(home, 'out-of-service')
  mkdirSync(folder)
  const close = (id: string) => {
    const given = { id, message: id, retryAfter: 60, allow: [], token: secret('0'.repeat(32), 'bypass'), note: {} }
    return runSteps(closeSite(place, given).slice(-1))
  }
  try {
    const ended = await Promise.all(Array.from({ length: 8 }, (_, index) => close(`time-${index}`)))
    expect(ended.flat().map(({ status, output }) => [status, output])).toEqual(Array(8).fill(['changed', '']))
    expect(existsSync(join(folder, 'maintenance/index.html'))).toBe(true)
    expect(readdirSync(folder)).toEqual(['maintenance', expect.stringMatching(/^maintenance\.time-\d\.60$/)])
    await runSteps(openSite(place))
    expect(readdirSync(folder)).toEqual([])
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})
