import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fingerprint, fromLine } from '../../engine/ssh/public-key.js'
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
