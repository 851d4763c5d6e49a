import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../rig/failure.js'
import { logins } from '../../rig/logins.js'
import { startSshd } from '../../rig/sshd.js'

const all = logins()
const { login } = all

describe('a jump host', () => {
  it('is gone through, also in a chain, its own host key verified', async () => {
    const jump = await startSshd()
    try {
      const alias = (name: string): string[] => [
        `Host ${name}`,
        '  HostName 127.0.0.1',
        `  Port ${jump.port}`,
        `  IdentityFile ${jump.identity}`,
        `  UserKnownHostsFile ${jump.knownHosts}`,
      ]
      await writeFile(jump.knownHosts, `[127.0.0.1]:${jump.port} ${jump.hostKeys[0]}\n`)
      const lines = [
        ...alias('first'),
        ...alias('second'),
        'Host one',
        '  ProxyJump first,second',
        `  IdentityFile ${all.sshd.identity}`,
      ]
      expect((await login(lines)).stdout).toBe('in\n')
      expect((await jump.log()).match(/Accepted publickey/g)).toHaveLength(2)
      await writeFile(jump.knownHosts, '')
      const told = await failureOf(login(lines))
      expect(told).toMatchObject({ kind: 'host-key', said: expect.stringMatching(/^first: /) })
    } finally {
      await all.close()
      await jump.stop()
    }
  })

  it('can be a command', async () => {
    const proxy = `${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`
    expect((await login([`ProxyCommand ${proxy}`, `IdentityFile ${all.sshd.identity}`])).stdout).toBe('in\n')
  })
})
