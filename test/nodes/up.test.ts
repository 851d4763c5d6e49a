import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../rig/http.js'
import { cutPower } from '../rig/power-cut.js'
import { prepareFiles } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

let story: Story
let project: string
const files = {
  'kraftwerk.yaml': `name: kiosk
wsgi: kiosk.wsgi:application
packages: []
environments:
  stage: { nodes: [one], domain: kiosk.test }
  live: { live: true, nodes: [far] }
`,
  'kiosk/__init__.py': '',
  'kiosk/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [])
    return [b'open']
`,
}

beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'kiosk')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true })
    await writeFile(join(project, path), text)
  }
})
afterAll(() => story?.remove())

const up = (...words: string[]) => story.kraft(['up', ...words], { cwd: project })
const site = async () => ask(await story.address('one'), { host: 'kiosk.test', path: '/' })

test('a dry run says what would be called, and makes nothing', async () => {
  const { code, stdout } = await up('--dry-run')
  expect([code, stdout]).toEqual([
    0,
    'Would do, one after the other:\n  provision one --provider local\n  bootstrap:one\n  deploy:stage\n',
  ])
  expect((await story.kraft(['nodes', '--json'])).stdout.trim()).toBe('[]')
})

test('up makes the node, prepares it and deploys the one environment that is not live; a second time it changes nothing else', async () => {
  await prepareFiles(story, ['one'])
  const first = await up('--json')
  expect(first.code, first.stderr).toBe(0)
  expect(JSON.parse(first.stdout)).toEqual({ url: 'http://kiosk.test/', urls: ['http://kiosk.test/'], browser: null })
  expect(first.stderr).toContain('provision one')
  expect(await site()).toMatchObject({ status: 200, text: 'open' })

  const again = await up()
  expect([again.code, again.stderr.includes('provision')]).toEqual([0, false])
  expect(again.stdout).toContain('http://kiosk.test/\n')
})

test('a node that this machine has lost, as by a reboot, runs again', async () => {
  await cutPower(story, 'one')
  const { code, stderr } = await up()
  expect(code, stderr).toBe(0)
  expect(await site()).toMatchObject({ status: 200, text: 'open' })
})

test('a node that is no local one is refused: nothing is put on a real server in passing', async () => {
  const nodes = `far:\n  provider: static\n  address: 203.0.113.7\n  user: root\n  host_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAqp']\n`
  await writeFile(join(project, 'nodes.yaml'), nodes)
  const refused = await story.kraft(['up:live'], { cwd: project })
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('up is for local nodes, and far is one of static')])
})

test('with --watch what is saved is live soon, what is broken never is, and Ctrl-C ends it', async () => {
  const running = startKraft(['up:stage', '--watch'], { cwd: project, env: story.env })
  const save = (word: string) =>
    writeFile(join(project, 'kiosk/wsgi.py'), files['kiosk/wsgi.py'].replace("b'open'", `b'${word}'`))
  const text = async () => (await site()).text
  await running.says('Whatever is saved from now on goes live')
  // Nothing that stays here counts.
  await writeFile(join(project, 'notes.pyc'), 'x')
  await save('saved')
  await expect.poll(text, { timeout: 60_000 }).toBe('saved')
  await running.says(', code alone')
  await save("never' +")
  await running.says('kiosk/wsgi.py: not live, the former release goes on')
  expect(await text()).toBe('saved')
  await save('mended')
  await expect.poll(text, { timeout: 60_000 }).toBe('mended')
  // What is built for a deploy counts as well.
  await mkdir(join(project, 'kiosk/static'))
  await writeFile(join(project, 'kiosk/static/site.css'), 'a { color: red }')
  const css = async () => ask(await story.address('one'), { host: 'kiosk.test', path: '/static/site.css' })
  await expect.poll(async () => (await css()).text, { timeout: 60_000 }).toBe('a { color: red }')
  running.child.kill('SIGINT')
  const { code, stderr } = await running.ended
  expect([code, stderr]).toEqual([130, expect.not.stringContaining('notes.pyc')])
  expect(stderr).toContain('SyntaxError')
})
