import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { failure, kraft } from '../../rig/cli.js'
import { freshHome } from '../../rig/home.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'
import { kraftInTerminal } from '../../rig/terminal.js'

const at = freshHome()
let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd?.stop())

const knownHosts = () => readFile(join(at.home, '.ssh/known_hosts'), 'utf8').catch(() => '')
const place = () => ({ cwd: at.project, env: { HOME: at.home, SSH_AUTH_SOCK: '', KRAFT_KEEP_CONNECTIONS: '0' } })

beforeEach(async () => {
  const { name, ...record } = sshd.record
  await at.write('.kraftwerk/nodes.yaml', stringify({ [name]: { ...record, host_keys: [] } }))
  await chmod(await at.write('.kraftwerk/id_ed25519', await readFile(sshd.identity, 'utf8')), 0o600)
})

const question = /one \(127\.0\.0\.1\) is new\. Is its ED25519 key SHA256:\S{43}\?/

test('whether a host key is right is asked, a no logs in nowhere, and a yes is remembered', async () => {
  const first = await kraftInTerminal(['run:one', '--', 'echo', 'in'], place())
  await first.sees(question)
  first.type('n')
  await first.sees('you did not accept its host key')
  expect([await first.ended(), await knownHosts()]).toEqual([255, ''])

  const second = await kraftInTerminal(['run:one', '--', 'echo', 'in'], place())
  await second.sees(question)
  second.type('y')
  await second.sees('in\r\n')
  expect([await second.ended(), await knownHosts()]).toEqual([
    0,
    expect.stringContaining(sshd.hostKeys[0]?.split(' ')[1] ?? 'none'),
  ])
  expect((await kraft(['run:one', '--', 'echo', 'in'], place())).stdout).toBe('in\n')
})

test('--yes has compared no host key: it is asked for all the same', async () => {
  const terminal = await kraftInTerminal(['run:one', '--yes', '--', 'echo', 'in'], place())
  await terminal.sees(question)
  terminal.type('n')
  expect([await terminal.ended(), await knownHosts()]).toEqual([255, ''])
})

test('without a terminal a new host key is an error that says how to compare it, also with --yes', async () => {
  for (const more of [[], ['--yes']]) {
    const { code, stdout, stderr } = await kraft(['run:one', ...more, '--', 'echo', 'in'], place())
    expect([code, stdout, failure(stderr)]).toEqual([255, '', expect.stringContaining('its host key is not known: SHA256:')])
  }
  expect(await knownHosts()).toBe('')
})

test('Ctrl-C at a question stops there, and nothing was changed', async () => {
  const terminal = await kraftInTerminal(['terminate:one'], place())
  await terminal.sees('Forget the node one')
  terminal.type('\x03')
  await terminal.sees('Stopped at a question; nothing was changed')
  expect(await terminal.ended()).toBe(130)
  expect(await readFile(join(at.home, '.kraftwerk/nodes.yaml'), 'utf8')).toContain('one:')
})
