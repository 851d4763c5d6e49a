import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { chapters } from '../rig/chapters.js'
import { ask } from '../rig/http.js'
import { kraftProgram } from '../rig/kraft.js'
import { flawless, underLoad } from '../rig/load-client.js'
import { leftBehind, nodeState } from '../rig/node-state.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { inTerminal, kraftInTerminal, type Terminal } from '../rig/terminal.js'

// The whole story of a Flask application from PyPI on Debian 13, with a login that is not root but may use sudo.
const { chapter, essential } = chapters()

let story: Story
let address = ''
let bare = ''

beforeAll(async () => {
  story = await beginStory('httpbin')
})
afterAll(() => story?.remove())

const get = (path: string, host = address) => ask(address, { host, path })

essential('provision makes a node whose login is a user with sudo', async () => {
  await story.must(['provision', 'two', '--set', 'user=admin', '--set', 'image=trixie'])
  address = await story.address('two')
  const { stdout } = await story.must(['run:two', '--', 'sh', '-c', 'id -un; . /etc/os-release; echo $VERSION_CODENAME'], {
    cwd: story.home,
  })
  expect(stdout).toBe('admin\ntrixie\n')
})

essential('bootstrap prepares it through sudo, and waits for an sshd that is away for a moment when it reloads', async () => {
  // As on a busy node, only for longer: the sshd that a reload starts anew takes its time before it listens.
  await story.onNode(
    'two',
    `mv /usr/sbin/sshd /usr/sbin/sshd.real
    printf '%s\\n' '#!/bin/sh' 'case " $* " in *" -D "*) sleep 4 ;; esac' 'exec /usr/sbin/sshd.real "$@"' >/usr/sbin/sshd
    chmod 755 /usr/sbin/sshd`,
  )
  expect((await story.must(['bootstrap:two'])).stdout).toMatch(/^two: [1-9]\d* changes$/m)
})

chapter('a second bootstrap changes nothing', async () => {
  expect((await story.must(['bootstrap:two'])).stdout).toBe('two: 0 changes\n')
  bare = await nodeState(story, 'two')
})

essential('a project of one kraftwerk.yaml and requirements is deployed, and answers at the address of the node', async () => {
  const { stdout } = await story.must(['deploy:two'])
  expect(stdout).toMatch(new RegExp(`^httpbin is at release \\d{8}-\\d{6}\nhttp://${address}/\n(.+\n){3,4}$`))
  const answer = JSON.parse((await get('/get?a=1')).text)
  expect(answer).toMatchObject({ args: { a: '1' }, url: `http://${address}/get?a=1` })
  expect((await get('/status/204')).status).toBe(204)
  expect((await get('/status/418')).status).toBe(418)
  // Nobody of ours has this file: nginx hands the request on to the application, which has it.
  expect((await get('/static/favicon.ico')).body.subarray(0, 4).toString('hex')).toBe('00000100')
  expect((await get('/static/none')).status).toBe(404)
})

chapter('run works in a pipe through sudo', async () => {
  const ran = await story.kraft(['run:two', '--', 'sh', '-c', 'cat; id -un >&2; exit 5'], { stdin: 'in\n' })
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([5, 'in\n', 'httpbin\n'])
  const said = await story.must(['run:two', '--', 'python', '-c', 'import httpbin; print(httpbin.__file__)'])
  expect(said.stdout).toMatch(/\/\.kraft\/venv\/lib\/python3\.\d+\/site-packages\/httpbin\/__init__\.py\n$/)
})

chapter('a changed environment is taken up by a reload under load, without losing a request', async () => {
  await appendFile(join(story.project, 'kraftwerk.yaml'), '\nenviron: { STORY: told }\n')
  const asked = { quick: '/base64/dG9sZA==', slow: '/delay/1', answer: /^told$|"url":/ }
  const { reports } = await underLoad({ address, host: address }, () => story.must(['reload:two']), asked)
  flawless(reports, { fresh: 100, kept: 100, slow: 2 })
  expect((await story.must(['run:two', '--', 'printenv', 'STORY'])).stdout).toBe('told\n')
})

chapter('shell is a real terminal', async () => {
  const terminal: Terminal = await inTerminal([process.execPath, kraftProgram, 'shell:two'], {
    columns: 97,
    rows: 31,
    cwd: story.project,
    env: { ...story.env, TERM: 'xterm-256color' },
  })
  try {
    // The prompt names instance and node, in colour.
    await terminal.sees('\x1b[36mhttpbin@two\x1b[0m:/web/httpbin/releases/')
    terminal.type('echo "<$(id -un) $TERM $(stty size) $KRAFT_NAME $STORY $(tty | cut -c1-8)>"\r')
    await terminal.sees('<httpbin xterm-256color 31 97 httpbin told /dev/pts>')

    terminal.resize(120, 40)
    // What is typed may be there before the word of the new size, as with ssh.
    terminal.type('until stty size | grep -q "40 120"; do sleep 0.1; done; echo "size: $(stty size)"\r')
    await terminal.sees('size: 40 120')
    // A program in it is told at once.
    terminal.type('bash -c \'trap "echo resized to \\$(stty size)" WINCH; echo ready.; while sleep 0.1; do :; done\'\r')
    await terminal.sees('ready.\r\n')
    terminal.resize(66, 22)
    await terminal.sees('resized to 22 66')
    terminal.type('\x03')
    await terminal.sees('$ ')

    terminal.type('sleep 600\r')
    await terminal.sees('sleep 600\r\n')
    terminal.type('\x03')
    await terminal.sees('^C')
    await terminal.sees('$ ')
    terminal.type('echo "code=$?"\r')
    await terminal.sees('code=130\r\n')

    terminal.type('cat kraftw\t')
    await terminal.sees('kraftwerk.yaml ')
    terminal.type('| grep -c STORY; ls --color=auto -d .kraft\r')
    await terminal.sees('\x1b[01;34m.kraft')

    terminal.type('python\r')
    await terminal.sees('>>> ')
    terminal.type('print(6 * 7)\r')
    await terminal.sees('42\r\n')
    terminal.type('\x04')
    await terminal.sees('$ ')

    terminal.type('exit 3\r')
    expect(await terminal.ended()).toBe(3)
  } finally {
    terminal.kill()
  }
})

chapter('shell without a terminal says what to do instead', async () => {
  const { code, stderr } = await story.kraft(['shell:two'])
  expect([code, stderr.includes('kraft run:two -- COMMAND')]).toEqual([255, true])
})

chapter('destroy asks, takes a no, and leaves nothing after a yes', async () => {
  const ask = async (answer: string) => {
    const terminal = await kraftInTerminal(['destroy:two'], { cwd: story.project, env: story.env })
    try {
      await terminal.sees('Remove httpbin from two, with all data')
      terminal.type(answer)
      return await terminal.ended()
    } finally {
      terminal.kill()
    }
  }
  expect(await ask('n')).toBe(130)
  expect((await get('/status/204')).status).toBe(204)
  expect(await ask('y')).toBe(0)
  await expect.poll(() => leftBehind(story, 'two', bare), { timeout: 15_000, interval: 1000 }).toEqual([])
})

chapter('terminate removes the node, and kraft forgets it', async () => {
  await story.must(['terminate:two', '--yes'])
  expect(await readFile(join(story.home, '.kraftwerk/nodes.yaml'), 'utf8')).not.toContain('two')
  expect((await story.kraft(['reload:two'])).code).toBe(2)
})
