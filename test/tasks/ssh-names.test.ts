import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fingerprint, fromLine } from '../../engine/ssh/public-key.js'
import { kraft } from '../rig/cli.js'
import { freshHome } from '../rig/home.js'
import { type Sshd, startSshd } from '../rig/sshd.js'
import { kraftInTerminal } from '../rig/terminal.js'

const at = freshHome()
let sshd: Sshd
let other: Sshd
beforeAll(async () => {
  sshd = await startSshd()
  other = await startSshd()
})
afterAll(() => Promise.all([sshd?.stop(), other?.stop()]))
beforeEach(async () => {
  await mkdir(join(at.home, '.kraftwerk'), { mode: 0o700 })
  await writeFile(join(at.home, '.kraftwerk', 'id_ed25519'), await readFile(sshd.identity), { mode: 0o600 })
  await at.write('hosts', '127.0.0.1 localhost\n')
})

const environ = () => ({ HOME: at.home, KRAFT_HOSTS_FILE: join(at.home, 'hosts'), SSH_AUTH_SOCK: '' })

function adopt(name: string): readonly string[] {
  const key = fromLine(sshd.hostKeys[0] ?? '')
  const print = key === undefined ? '' : fingerprint(key)
  return ['adopt', name, `${sshd.record.user}@127.0.0.1:${sshd.port}`, '--host-key', print]
}

const onTerminal = (...args: readonly string[]) => kraftInTerminal(args, { cwd: at.project, env: environ() })

/** The real ssh with the user's configuration, which it would find by itself if this were the user's home. */
const ssh = (...words: readonly string[]) =>
  promisify(execFile)('ssh', ['-F', join(at.home, '.ssh', 'config'), '-o', 'BatchMode=yes', ...words], {
    env: { ...process.env, SSH_AUTH_SOCK: '' },
  })

test('with consent ssh logs in by the name of a node, refuses another host there, and forgets it at terminate', async () => {
  const terminal = await onTerminal(...adopt('one'))
  await terminal.sees('so that the name works')
  terminal.type('n')
  await terminal.sees('so that ssh one works?')
  terminal.type('y')
  expect(await terminal.ended()).toBe(0)
  expect(terminal.seen()).toContain('ssh knows it as one')
  expect((await ssh('one', 'echo in')).stdout).toBe('in\n')

  // Another server takes the port's place.
  const file = join(at.home, '.kraftwerk', 'ssh_config')
  const before = await readFile(file, 'utf8')
  await writeFile(file, before.replace(`Port ${sshd.port}`, `Port ${other.port}`))
  await expect(ssh('one', 'echo in')).rejects.toThrow(/Host key verification failed/)
  await writeFile(file, before)

  // kraft itself goes by nodes.yaml, and by the name also for the way through a node.
  expect((await kraft(['run:one', '--', 'echo', 'in'], { cwd: at.project, env: environ() })).stdout).toBe('in\n')
  await kraft(['terminate:one', '--yes'], { cwd: at.project, env: environ() })
  expect((await ssh('-G', 'one')).stdout).toMatch(/^hostname one$/m)
})

test('who says no is not asked again, and ~/.ssh/config is not made', async () => {
  const first = await onTerminal(...adopt('one'))
  await first.sees('so that the name works')
  first.type('n')
  await first.sees('so that ssh one works?')
  first.type('n')
  expect(await first.ended()).toBe(0)
  const second = await onTerminal(...adopt('two'))
  await second.sees('so that the name works')
  second.type('n')
  expect(await second.ended()).toBe(0)
  expect(second.seen()).not.toContain('so that ssh')
  await expect(readFile(join(at.home, '.ssh', 'config'))).rejects.toThrow('ENOENT')
})

test('without a terminal nothing is asked, and ~/.ssh/config stays as it is, also with --yes', async () => {
  const { code, stdout } = await kraft([...adopt('one'), '--yes'], { cwd: at.project, env: environ() })
  expect([code, stdout.includes('ssh knows it')]).toEqual([0, false])
  await expect(readFile(join(at.home, '.ssh', 'config'))).rejects.toThrow('ENOENT')
  expect(await readFile(join(at.home, '.kraftwerk', 'ssh_config'), 'utf8')).toContain('\nHost one\n')
})
