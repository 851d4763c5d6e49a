import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { failureOf } from '../../rig/failure.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
const opened: Connection[] = []

beforeAll(async () => {
  sshd = await startSshd()
  process.env.HOME = sshd.folder
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()))
})
afterAll(() => sshd.stop())

async function login(lines: readonly string[]) {
  const configFile = `${sshd.folder}/config.jump`
  await writeFile(configFile, [...lines, 'Host *', 'IdentitiesOnly yes', 'UserKnownHostsFile /dev/null', ''].join('\n'))
  const connection = connect({ record: sshd.record, configFile })
  opened.push(connection)
  return connection.capture('echo in')
}

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
        `  IdentityFile ${sshd.identity}`,
      ]
      expect((await login(lines)).stdout).toBe('in\n')
      expect((await jump.log()).match(/Accepted publickey/g)).toHaveLength(2)
      await writeFile(jump.knownHosts, '')
      const told = await failureOf(login(lines))
      expect(told).toMatchObject({ kind: 'host-key', said: expect.stringMatching(/^first: /) })
    } finally {
      await Promise.all(opened.splice(0).map((connection) => connection.close()))
      await jump.stop()
    }
  })

  it('can be a command', async () => {
    const proxy = `${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`
    expect((await login([`ProxyCommand ${proxy}`, `IdentityFile ${sshd.identity}`])).stdout).toBe('in\n')
  })
})
