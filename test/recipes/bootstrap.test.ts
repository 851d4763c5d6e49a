import { describe, expect, it } from 'vitest'
import { bootstrap } from '../../recipes/bootstrap.js'
import { firewall } from '../../recipes/firewall.js'
import { swap } from '../../recipes/swap.js'
import { systemUser } from '../../recipes/user.js'

const titles = (options: Parameters<typeof bootstrap>[0]) =>
  bootstrap(options).flatMap(({ steps }) => steps.map(({ title }) => title))

describe('bootstrap', () => {
  it('changes what could lock its user out last, and only there asks for a new login', () => {
    const phases = bootstrap({ sshPort: 22 })
    expect(phases.map(({ confirm }) => confirm !== undefined)).toEqual([...phases.slice(1).map(() => false), true])
    expect(
      phases
        .at(-1)
        ?.steps.map(({ title }) => title)
        .join(),
    ).toMatch(/Firewall.*sshd/)
  })

  it('installs and sets up only the services that are asked for', () => {
    const all = (services: readonly string[]) => JSON.stringify(bootstrap({ sshPort: 22, services }))
    expect(all(['files'])).not.toMatch(/postgresql |redis-server/)
    expect(all(['postgres'])).toMatch(/postgresql /)
    expect(all(['postgres'])).not.toMatch(/redis-server/)
    expect(JSON.stringify(bootstrap({ sshPort: 22 }))).toMatch(/redis-server/)
  })

  it("turns redis' own instance off before the package could start it", () => {
    const [off, packages] = ["redis: the package's own instance is off", 'Packages '].map((start) =>
      titles({ sshPort: 22 }).findIndex((title) => title.startsWith(start)),
    )
    expect(off).toBeGreaterThanOrEqual(0)
    expect(off).toBeLessThan(packages ?? -1)
  })

  it('opens the port of sshd that it is given, the web, and nothing else', () => {
    const [, , step] = firewall({ sshPort: 2222 })
    expect(step?.files?.rules).toContain('tcp dport { 80, 443, 2222 } accept')
    expect(step?.files?.rules).toContain('policy drop')
  })

  it('leaves swap out where it is not wanted', () => {
    expect(titles({ sshPort: 22, swap: 512 })).toContain('Swap of 512 MB')
    expect(titles({ sshPort: 22, swap: false }).join()).not.toContain('Swap')
  })

  it.each([0, 65_536, 22.5, Number.NaN])('refuses the port %d', (sshPort) => {
    expect(() => bootstrap({ sshPort })).toThrow('is not a port')
  })

  it('refuses sizes and names that are none', () => {
    expect(() => swap(0.5)).toThrow('is not a size')
    expect(() => systemUser({ name: 'Web User', home: '/web' })).toThrow("can't be the name of a user")
  })

  it('arms its reverts with the seconds that it is given', () => {
    const timers = bootstrap({ sshPort: 22, revertAfter: 7 }).flatMap(({ steps }) =>
      steps.flatMap(({ files }) => files?.timer ?? []),
    )
    expect(timers).toHaveLength(2)
    for (const timer of timers) expect(timer).toContain('OnActiveSec=7\n')
  })
})
