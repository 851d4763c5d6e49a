import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sshOptions } from '../../../engine/ssh/config.js'
import { connect } from '../../../engine/ssh/connect.js'
import type { Destination } from '../../../engine/ssh/destination.js'
import { jumpDestination } from '../../../engine/ssh/jump.js'
import { failureOf } from '../../rig/failure.js'
import { startSshd } from '../../rig/sshd.js'

let folder: string
const path = process.env.PATH
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-config-'))
  process.env.HOME = folder
})
afterEach(async () => {
  process.env.PATH = path
  await rm(folder, { recursive: true })
})

async function options(config: readonly string[], destination: Partial<Destination> = {}) {
  const file = join(folder, 'config')
  await writeFile(file, config.join('\n'))
  return sshOptions({ name: 'one', hostKeys: [], ...destination }, file)
}

describe('ssh_config', () => {
  it('says where to go and as whom', async () => {
    const found = await options(['Host one', 'HostName 10.0.0.9', 'User web', 'Port 2222', 'HostKeyAlias first'])
    expect(found).toMatchObject({ hostName: '10.0.0.9', user: 'web', port: 2222, hostKeyAlias: 'first' })
  })

  it('gives way to what is remembered of the node, whose name its Match blocks still see', async () => {
    const config = ['Match originalhost one', 'HostName 10.0.0.9', 'User web', 'Port 2222', 'IdentityFile ~/.ssh/one-%r']
    const found = await options(config, { address: '10.0.0.1', user: 'root', port: 22 })
    expect(found).toMatchObject({
      hostName: '10.0.0.1',
      user: 'root',
      port: 22,
      identityFiles: [join(homedir(), '.ssh/one-root')],
    })
  })

  it('takes an address that is the name itself for an alias', async () => {
    expect((await options(['Host one', 'HostName 10.0.0.9'], { address: 'one' })).hostName).toBe('10.0.0.9')
  })

  it('takes the zone of an address for no token', async () => {
    expect((await options([], { address: 'fe80::1%eth0' })).hostName).toBe('fe80::1%eth0')
  })

  it('counts Include', async () => {
    await writeFile(join(folder, 'more'), 'Host one\nPort 2022\n')
    expect((await options([`Include ${folder}/more`])).port).toBe(2022)
  })

  it('names the agent, the jump hosts and the known hosts', async () => {
    const config = ['IdentityAgent ~/agent', 'ProxyJump me@first:2222,second', 'UserKnownHostsFile ~/known', 'IdentitiesOnly yes']
    expect(await options(config)).toMatchObject({
      jumps: ['me@first:2222', 'second'],
      userKnownHosts: [expect.stringContaining('known')],
      identitiesOnly: true,
    })
    expect((await options(['IdentityAgent none'])).agent).toBeUndefined()
    expect((await options(['ProxyJump none'])).jumps).toEqual([])
  })

  it('is told to be wrong with file and line', async () => {
    const told = await failureOf(options(['Port 22', 'Port many']))
    expect(told).toMatchObject({ kind: 'setting', said: `${folder}/config:2: Bad port 'many'.` })
    const missing = await failureOf(sshOptions({ name: 'one', hostKeys: [] }, join(folder, 'absent')))
    expect(missing).toMatchObject({ kind: 'setting', said: `${folder}/absent: cannot be read: No such file or directory` })
  })

  it('may hold options that this ssh does not know, as those of a newer one or of macOS', async () => {
    expect((await options(['UseKeychain yes', 'Port 2022', 'Match host one', 'Nonsense yes', 'User web'])).port).toBe(2022)
  })

  it('may say that no file of known hosts counts', async () => {
    const found = await options(['UserKnownHostsFile none', 'GlobalKnownHostsFile none'])
    expect([found.userKnownHosts, found.globalKnownHosts]).toEqual([[], []])
  })

  it('is not needed where OpenSSH is not installed', async () => {
    process.env.PATH = folder
    const found = await options(['Port 1'], { address: '10.0.0.1' })
    expect(found).toMatchObject({ hostName: '10.0.0.1', port: 22, user: userInfo().username, strict: 'ask' })
    expect(found.userKnownHosts[0]).toBe(join(folder, '.ssh/known_hosts'))
    expect(found.identityFiles).toContain(join(folder, '.ssh/id_ed25519'))
  })

  it('cannot switch the check of host keys off: kraft says once that it asks all the same', async () => {
    const sshd = await startSshd()
    const file = join(folder, 'weak')
    await writeFile(file, `StrictHostKeyChecking off\nUserKnownHostsFile ${folder}/known_hosts\nIdentityFile ${sshd.identity}\n`)
    const notes: string[] = []
    const record = { ...sshd.record, host_keys: [] }
    for (let round = 0; round < 2; round++) {
      const connection = connect({ record, configFile: file, note: (text) => notes.push(text) })
      expect((await failureOf(connection.exec('true'))).kind).toBe('host-key')
    }
    expect(notes).toEqual([expect.stringContaining('weakens StrictHostKeyChecking')])
    await sshd.stop()
  })
})

describe('a jump host', () => {
  it.each([
    ['first', { name: 'first', user: undefined, port: undefined }],
    ['me@first:2222', { name: 'first', user: 'me', port: 2222 }],
    ['ssh://me@first:2222', { name: 'first', user: 'me', port: 2222 }],
    ['me@corp@first', { name: 'first', user: 'me@corp', port: undefined }],
    ['[fe80::1]:22', { name: 'fe80::1', user: undefined, port: 22 }],
  ])('is read from %s', (text, expected) => {
    expect(jumpDestination(text)).toMatchObject(expected)
  })
})
