import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quote } from '../../engine/shell/sh.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { kraftInTerminal } from '../rig/terminal.js'

// A node that lets nobody in by key: the login is a user with a password. The test's own way in is the key of root.
const password = `open "sesame" $HOME ${randomBytes(6).toString('hex')}`
let story: Story
const key = (name = '') => join(story.home, '.kraftwerk', `id_ed25519${name}`)

beforeAll(async () => {
  story = await beginStory('httpbin')
  // Each call is to log in.
  Object.assign(story.env, { KRAFT_KEEP_CONNECTIONS: '0' })
  await story.must(['provision', 'two'], { cwd: story.home })
})
afterAll(() => story?.remove())

const kraft = (args: readonly string[], env = story.env) =>
  story.kraft(['run:two', ...args, '--', 'id', '-un'], { cwd: story.home, env })

describe.each([
  ['password', 'PasswordAuthentication yes', 'KbdInteractiveAuthentication no'],
  ['keyboard-interactive', 'PasswordAuthentication no', 'KbdInteractiveAuthentication yes'],
])('a login by %s', (_, ...settings) => {
  beforeAll(async () => {
    const sshd = ['PermitRootLogin yes', 'UsePAM yes', ...settings]
    await story.onNode(
      'two',
      `printf '%s\\n' ${quote(`root:${password}`)} | chpasswd
      printf '%s\\n' ${sshd.map(quote).join(' ')} >/etc/ssh/sshd_config.d/01-test.conf; systemctl reload ssh`,
    )
    await rename(key(), key('.away'))
  })
  afterAll(() => rename(key('.away'), key()))

  it('is not tried unless it is asked for, which the error names', async () => {
    const { code, stderr } = await kraft([])
    expect([code, stderr]).toEqual([255, expect.stringContaining('Or type the password: --ask-password')])
    expect(stderr).toContain('there was no key to try')
  })

  it('is asked for once with --ask-password, again where it was wrong, and not shown', async () => {
    const terminal = await kraftInTerminal(['run:two', '--ask-password', '--', 'id', '-un'], { cwd: story.home, env: story.env })
    try {
      await terminal.sees('Password to log in on your nodes')
      terminal.type('wrong\r')
      await terminal.sees('That was not it.')
      terminal.type(`${password}\r`)
      await terminal.sees('root\r\n')
      expect([await terminal.ended(), terminal.seen().includes(password)]).toEqual([0, false])
    } finally {
      terminal.kill()
    }
  })

  it('can come in KRAFT_PASSWORD', async () => {
    expect((await kraft([], { ...story.env, KRAFT_PASSWORD: password })).stdout).toBe('root\n')
    const wrong = await kraft([], { ...story.env, KRAFT_PASSWORD: 'wrong' })
    expect([wrong.code, wrong.stderr]).toEqual([255, expect.stringContaining('the server did not take the password for root')])
  })
})
