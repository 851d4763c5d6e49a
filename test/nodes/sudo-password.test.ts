import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createNode, type Node } from '../../engine/node/node.js'
import { lockNode } from '../../engine/node/node-lock.js'
import { quote, sh } from '../../engine/shell/sh.js'
import { AskedOnce } from '../../engine/ssh/asked-once.js'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { execGroup } from '../../engine/ssh/group.js'
import type { Ask } from '../../engine/ssh/question.js'
import { withSudo } from '../../engine/ssh/sudo.js'
import { failureOf } from '../rig/failure.js'
import { notedLine } from '../rig/loopback.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { kraftInTerminal } from '../rig/terminal.js'

// A login whose sudo wants a password, and then also a terminal. The node needs nothing but sshd for that.
const password = `it's a "canary" $HOME \\ ${randomBytes(9).toString('hex')}`
let story: Story
let record: Parameters<typeof createNode>[0]
let plain: Connection
const opened: Connection[] = []

beforeAll(async () => {
  story = await beginStory('httpbin')
  process.env.HOME = story.home
  await story.must(['provision', 'two', '--set', 'user=admin'], { cwd: story.home })
  const nodes: unknown = parse(await readFile(join(story.home, '.kraftwerk/nodes.yaml'), 'utf8'))
  if (typeof nodes !== 'object' || nodes === null || !('two' in nodes)) throw new Error('nodes.yaml does not know the node')
  record = { name: 'two', ...(nodes.two as Omit<typeof record, 'name'>) }
  await story.onNode('two', setPassword)
  plain = connect({ record })
})
afterEach(() => Promise.all(opened.splice(0).map((connection) => connection.close())))
afterAll(async () => {
  await plain?.close()
  await story?.remove()
})

// The way back for the test itself: a second file of sudoers that only one command may use.
const setPassword = `
printf '%s\\n' ${quote(`admin:${password}`)} | chpasswd
printf '%s\\n' '#!/bin/sh' 'cat >/etc/sudoers.d/92-test' >/usr/local/sbin/set-sudoers
chmod 755 /usr/local/sbin/set-sudoers
echo 'admin ALL=(ALL) ALL' >/etc/sudoers.d/90-kraftwerk
printf '%s\\n' 'Defaults!/usr/local/sbin/set-sudoers,/usr/bin/grep !requiretty' \
  'admin ALL=(ALL) NOPASSWD: /usr/local/sbin/set-sudoers, /usr/bin/grep' >/etc/sudoers.d/95-test
`

/** Notes the questions, and answers them in order; then with nothing. */
function answering(...answers: readonly string[]): { readonly ask: Ask; readonly asked: string[] } {
  const asked: string[] = []
  const left = [...answers]
  const ask: Ask = async ({ message }) => {
    asked.push(message)
    return left.shift() ?? ''
  }
  return { ask, asked }
}

function node(ask?: Ask): { readonly node: Node; readonly connection: Connection } {
  return nodeWith(new AskedOnce({ question: 'Password for sudo', ask }))
}

function nodeWith(answer: AskedOnce): { readonly node: Node; readonly connection: Connection } {
  const connection = withSudo(connect({ record }), answer)
  opened.push(connection)
  return { node: createNode(record, 'every', connection, 'apply', () => undefined), connection }
}

/** Changes the sudoers of the node; nothing: sudo wants a password, as at first. */
async function sudoers(text = ''): Promise<void> {
  const { exit, stderr } = await plain.capture('sudo -n /usr/local/sbin/set-sudoers', text)
  expect([exit.code, stderr]).toEqual([0, ''])
}

/** Where on the node the password can be read now: files, command lines, environments. */
async function traces(): Promise<string> {
  const places =
    '/proc/[0-9]*/cmdline /proc/[0-9]*/environ /tmp /run /dev/shm /var/tmp /var/log /home /root /etc /web /var/lib/kraftwerk'
  const { stdout } = await plain.capture(`sudo -n grep -rlaFf - ${places} 2>/dev/null`, `${password}\n`)
  return stdout
}

const leftovers = async (): Promise<string> =>
  (await plain.capture('ls -d /tmp/.kraft-* /dev/shm/.kraft-* "$XDG_RUNTIME_DIR"/.kraft-* "$HOME"/.kraft-* 2>/dev/null')).stdout

describe('a password for sudo', () => {
  it('is asked for once, for reads, steps, locks and root.$ together', async () => {
    const { ask, asked } = answering(password)
    const { node: two } = node(ask)
    const line = notedLine()
    await two.prepare()
    const [read, applied, lock, shell] = await Promise.all([
      two.read('id -u; cat', 'fed\n'),
      two.apply('Steps', [{ title: 'mark', apply: sh`id -u >/run/marked` }], line.line),
      lockNode(two, 'test', 'me'),
      two.root.$`id -un`,
    ])
    await lock.release()
    expect([read, shell.stdout]).toEqual(['0\nfed\n', 'root\n'])
    expect(applied.counts).toMatchObject({ changed: 1 })
    expect(asked).toEqual(['Password for sudo'])
  })

  it('is asked for once for several nodes', async () => {
    const { ask, asked } = answering(password)
    const shared = new AskedOnce({ question: 'Password for sudo', ask })
    const said = await Promise.all([0, 1, 2].map(() => nodeWith(shared).node.read('id -un')))
    expect([said, asked.length]).toEqual([['root\n', 'root\n', 'root\n'], 1])
  })

  it('is on no command line, in no environment and no file of the node, and leaves nothing behind', async () => {
    const { node: two, connection } = node(answering(password).ask)
    const running = two.read('touch /run/slow; sleep 4')
    await expect.poll(async () => (await plain.capture('ls /run/slow')).stdout, { timeout: 10_000 }).toBe('/run/slow\n')
    // The search finds what is there to find.
    await plain.capture('cat >~/planted', password)
    expect(await traces()).toBe('/home/admin/planted\n')
    await plain.capture('rm ~/planted')
    expect(await traces()).toBe('')
    await running
    expect(await leftovers()).not.toBe('')
    await connection.close()
    await expect.poll(leftovers, { timeout: 10_000 }).toBe('')
    expect(await traces()).toBe('')
  })

  it('is asked for again when it was wrong, three times in all', async () => {
    const second = answering('wrong', password)
    expect(await node(second.ask).node.read('id -un')).toBe('root\n')
    expect(second.asked).toEqual(['Password for sudo', 'That was not it. Password for sudo'])
    const never = answering('wrong', 'again', 'still', password)
    const told = await failureOf(node(never.ask).node.read('touch /run/never'))
    expect([told.said, never.asked.length]).toEqual(['two: sudo did not take the password for admin', 3])
    expect((await plain.capture('ls /run/never')).stdout).toBe('')
  })

  it('is told to be missing where there is nobody to ask', async () => {
    const told = await failureOf(node().node.read('touch /run/never'))
    expect(told.said).toBe('two: sudo wants the password of admin, and there is no terminal to ask for it')
    expect(told.next).toContain('KRAFT_SUDO_PASSWORD')
    expect((await plain.capture('ls /run/never')).stdout).toBe('')
  })

  it('is asked for by kraft in a terminal, and not shown', async () => {
    const terminal = await kraftInTerminal(['bootstrap:two', '--dry-run'], { cwd: story.home, env: story.env })
    try {
      await terminal.sees('Password for sudo on your nodes')
      terminal.type(`${password}\r`)
      expect([await terminal.ended(), terminal.seen().includes(password)]).toEqual([0, false])
      expect(terminal.seen()).toContain('would change')
    } finally {
      terminal.kill()
    }
  })

  it('can come in KRAFT_SUDO_PASSWORD, which kraft takes out of its environment', async () => {
    const dry = ['bootstrap:two', '--dry-run']
    const without = await story.kraft(dry, { cwd: story.home })
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('there is no terminal to ask')])
    const env = { ...story.env, KRAFT_SUDO_PASSWORD: password }
    const ran = await story.must(dry, { cwd: story.home, env })
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(password)
  })

  it('is not asked for where sudo wants none', async () => {
    await sudoers('admin ALL=(ALL) NOPASSWD: ALL\n')
    try {
      const { ask, asked } = answering(password)
      const { node: two } = node(ask)
      expect([await two.read('id -un'), asked]).toEqual(['root\n', []])
    } finally {
      await sudoers()
    }
  })
})

describe.each([
  ['and no password', 'NOPASSWD: ALL', 0],
  ['and a password', 'ALL', 1],
])('sudo that wants a terminal %s', (_, rights, questions) => {
  beforeAll(() => sudoers(`Defaults requiretty\nadmin ALL=(ALL) ${rights}\n`))
  afterAll(() => sudoers())

  it('gets one, while bytes pass unchanged and errors and exit codes are told apart', async () => {
    const { ask, asked } = answering(password)
    const { node: two, connection } = node(ask)
    const channel = await connection.exec(two.asRoot('cat; id -un >&2; exit 7'))
    const bytes = randomBytes(3 << 20)
    channel.stdin.end(bytes)
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    channel.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    channel.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    expect((await channel.exit).code).toBe(7)
    expect(Buffer.concat(out).equals(bytes)).toBe(true)
    expect(Buffer.concat(err).toString()).toBe('root\n')
    expect(asked).toHaveLength(questions)
  })

  it('runs steps, and a command that can be ended', async () => {
    const { node: two, connection } = node(answering(password).ask)
    const applied = await two.apply('Steps', [{ title: 'mark', apply: sh`id -u` }], notedLine().line)
    expect(applied.counts).toMatchObject({ changed: 1 })
    const group = await execGroup(connection, two.asRoot('echo up; exec sleep 61.5'))
    group.channel.stderr.resume()
    await new Promise((resolve) => group.channel.stdout.once('data', resolve))
    group.channel.stdout.resume()
    await group.kill('SIGTERM')
    await group.channel.exit
    await expect.poll(async () => (await plain.capture('pgrep -fx "sleep 61.5"')).stdout, { timeout: 10_000 }).toBe('')
  })

  it('takes the terminal that there is, where one was asked for', async () => {
    const { node: two, connection } = node(answering(password).ask)
    const channel = await connection.exec(two.asRoot('test -t 0 && test -t 1 && stty size; id -un'), {
      terminal: { type: 'xterm', columns: 77, rows: 33 },
    })
    let text = ''
    channel.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    channel.stderr.resume()
    await channel.exit
    expect(text).toBe('33 77\r\nroot\r\n')
  })
})
