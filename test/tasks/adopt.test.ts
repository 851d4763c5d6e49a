import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { fingerprint, fromLine } from '../../engine/ssh/public-key.js'
import { kraft } from '../rig/cli.js'
import { freshHome } from '../rig/home.js'
import { type Sshd, startSshd } from '../rig/sshd.js'
import { kraftInTerminal } from '../rig/terminal.js'

const at = freshHome()
let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd?.stop())
beforeEach(async () => {
  await chmod(await at.write('.kraftwerk/id_ed25519', await readFile(sshd.identity, 'utf8')), 0o600)
  await at.write('hosts', '127.0.0.1 localhost\n')
})

const adopt = (...more: readonly string[]) =>
  kraftInTerminal(['adopt', 'one', `${sshd.record.user}@127.0.0.1:${sshd.port}`, ...more], {
    cwd: at.project,
    env: { HOME: at.home, KRAFT_HOSTS_FILE: join(at.home, 'hosts') },
  })
const prints = () => sshd.hostKeys.map((line) => fingerprint(fromLine(line) ?? { type: '', blob: Buffer.alloc(0) }))
const remembered = () => readFile(join(at.home, '.kraftwerk/nodes.yaml'), 'utf8').catch(() => '')

test.each([[[]], [['--yes']]])(
  'on a terminal the host keys are shown and asked for, and a no remembers nothing (%j)',
  async (more) => {
    const terminal = await adopt(...more)
    await terminal.sees('Are these the host keys of 127.0.0.1?')
    const shown = terminal.seen().match(/SHA256:\S+/g) ?? []
    expect(shown.length).toBeGreaterThan(0)
    for (const each of shown) expect(prints()).toContain(each)
    terminal.type('n')
    await terminal.sees('Nothing was remembered')
    expect([await terminal.ended(), await remembered()]).toEqual([130, ''])
  },
)

test('a yes remembers them, and another one writes the name into the hosts file', async () => {
  const terminal = await adopt()
  await terminal.sees('Are these the host keys of 127.0.0.1?')
  terminal.type('y')
  await terminal.sees(`Add "127.0.0.1 one" to ${join(at.home, 'hosts')}, so that the name works`)
  terminal.type('y')
  await terminal.sees('so that ssh one works?')
  terminal.type('n')
  expect(await terminal.ended()).toBe(0)
  // An sshd that is busy may not show all of them in time.
  const { host_keys } = parse(await remembered()).one
  expect(host_keys.length).toBeGreaterThan(0)
  for (const key of host_keys) expect(sshd.hostKeys.map((line) => line.split(' ', 2).join(' '))).toContain(key)
  expect(await readFile(join(at.home, 'hosts'), 'utf8')).toBe('127.0.0.1 localhost\n127.0.0.1 one # kraft\n')
})

describe('without a terminal', () => {
  const adoptAs = async (login: string, hostKey: string, config: string) => {
    await at.write('.ssh/config', config)
    // OpenSSH finds the configuration of the user, which is not that of this test.
    await at.write('bin/ssh', '#!/bin/sh\nexec /usr/bin/ssh -F "$HOME/.ssh/config" "$@"\n')
    await chmod(join(at.home, 'bin/ssh'), 0o755)
    const env = { HOME: at.home, PATH: `${join(at.home, 'bin')}:${process.env.PATH}`, SSH_AUTH_SOCK: '' }
    return kraft(['adopt', 'one', login, '--host-key', hostKey], { cwd: at.project, env })
  }
  const ed25519 = () => sshd.hostKeys.find((line) => line.startsWith('ssh-ed25519')) ?? ''

  test('a host that ~/.ssh/config knows by a name of its own is remembered where ssh finds it', async () => {
    const config = `Host shelf\n  HostName 127.0.0.1\n  Port ${sshd.port}\n`
    const key = fromLine(ed25519())
    const { code, stderr } = await adoptAs(`${sshd.record.user}@shelf`, key === undefined ? '' : fingerprint(key), config)
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')])
    expect(parse(await remembered()).one).toMatchObject({ address: '127.0.0.1', port: sshd.port })
  })

  test('with its whole key nothing is asked of the server before the login, which proves it', async () => {
    const other = generateHostKey().publicKey
    const place = `${sshd.record.user}@127.0.0.1:${sshd.port}`
    expect(await adoptAs(place, other, '')).toMatchObject({ code: 3, stderr: expect.stringContaining('host key') })
    expect(await remembered()).toBe('')
    expect((await adoptAs(place, ed25519(), '')).code).toBe(0)
    expect(parse(await remembered()).one.host_keys).toEqual([ed25519().split(' ', 2).join(' ')])
  })
})
