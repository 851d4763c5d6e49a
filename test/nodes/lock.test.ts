import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

let story: Story
let project: string
let addresses: readonly string[]

// Its release command takes as long as the test wants; on several nodes more scripts follow it, which are sent only then.
const files = {
  'kraftwerk.yaml': `name: clock
domain: clock.example.com
wsgi: clock.wsgi:application
packages: []
workers: 1
release: touch ~/begun; for try in $(seq 600); do if [ -e ~/go ]; then exit 0; fi; sleep 0.1; done; exit 1
environments: { live: { nodes: [one, two] } }
`,
  'clock/__init__.py': '',
  'clock/wsgi.py': `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`,
}

beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'clock')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one', 'two'])
  addresses = await Promise.all(['one', 'two'].map((name) => story.address(name)))
  const first = startDeploy()
  await begun()
  await letGo()
  expect((await first.ended).code).toBe(0)
})
afterAll(() => story?.remove())

const onNode = (script: string) => story.onNode('one', script)
const startDeploy = () => startKraft(['deploy:live'], { cwd: project, env: story.env })
/** What the nodes serve. */
async function served(): Promise<string> {
  const all = await Promise.all(addresses.map((address) => ask(address, { host: 'clock.example.com', path: '/' })))
  return [...new Set(all.map(({ text }) => text))].join(' and ')
}
const letGo = () => onNode('touch /web/clock/home/go')
/** Waits until a release command runs. */
const begun = () => onNode('for try in $(seq 600); do if [ -e /web/clock/home/begun ]; then exit 0; fi; sleep 0.1; done; exit 1')
/** The next release command waits again. */
const hold = () => onNode('rm -f /web/clock/home/begun /web/clock/home/go')
const processes = () => onNode('ls /etc/service | grep "^clock.web" || :')

test('a client that was asleep while another deployed switches nothing when it wakes, and says why', async () => {
  await hold()
  const before = await served()
  const sleeper = startDeploy()
  await begun()
  sleeper.child.kill('SIGSTOP')
  await letGo()
  const other = join(story.home, 'elsewhere')
  await cp(project, other, { recursive: true })
  const ran = await story.kraft(['deploy:live', '--wait', '120', '--json'], { cwd: other })
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stderr).toMatch(/one: waiting for \S+@\S+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
  const { release } = JSON.parse(ran.stdout)
  expect(release).not.toBe(before)
  const running = await processes()

  sleeper.child.kill('SIGCONT')
  const { code, stderr } = await sleeper.ended
  expect(code).toBe(1)
  expect(failure(stderr)).toMatch(/somebody else took over clock while this kraft was away: \S+@\S+, since/)
  expect(await served()).toBe(release)
  expect(await processes()).toBe(running)
  expect(running.trim()).toBe(`clock.web.${release}`)
})

test('the lock of a kraft that is killed is held as long as its script runs there, for which the next one waits', async () => {
  await hold()
  const before = await served()
  const killed = startDeploy()
  await begun()
  killed.child.kill('SIGKILL')
  expect((await killed.ended).signal).toBe('SIGKILL')
  // The channel that held it is gone by then; the release command is not.
  await pause(2000)
  expect(await onNode('pgrep -f "[r]ead -r -t 20" || echo gone')).toContain('gone')
  const next = startDeploy()
  await next.says('whose kraft has ended: what it began there goes on')
  await letGo()
  const ran = await next.ended
  expect(ran.code, ran.stderr).toBe(0)
  const after = await served()
  expect([after, after > before]).toEqual([expect.stringMatching(/^\d{8}-\d{6}$/), true])
})

test('nothing that a deploy has started holds the lock', async () => {
  const held = `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c 'kraftwerk/locks\\|/run/kraftwerk/lock' || :`
  expect((await onNode(`pgrep -u clock gunicorn >/dev/null; ${held}`)).trim()).toBe('0')
  const control = `exec 8</var/lib/kraftwerk/locks/clock.held; ${held}`
  expect((await onNode(control)).trim()).not.toBe('0')
})

test('a deploy changes nothing where its clock is another one than that of the nodes, or a release there is not older', async () => {
  const before = await served()
  const ahead = join(story.home, 'ahead.cjs')
  await writeFiles(story.home, {
    'ahead.cjs':
      'const now = Date.now\nglobalThis.Date = class extends Date {\n  constructor(...given) {\n    super(...(given.length === 0 ? [now() + 600_000] : given))\n  }\n}\n',
  })
  const early = await startKraft(['deploy:live'], { cwd: project, env: { ...story.env, NODE_OPTIONS: `--require ${ahead}` } })
    .ended
  expect(early.code).toBe(1)
  expect(early.stderr).toMatch(/It is \S+ \S+ UTC on one, but \S+ \S+ UTC on the machine that deploys/)

  const later = '/web/clock/releases/29991231-235959'
  await story.onNode('two', `mkdir -p ${later}`)
  const late = await story.kraft(['deploy:live'], { cwd: project })
  expect(late.code).toBe(1)
  expect(failure(late.stderr)).toContain('somebody has made release 29991231-235959 of clock, which is not older than this one')
  expect(await story.onNode('two', `rmdir ${later}; ls /web/clock/releases | tail -n 1`)).toBe(`${before}\n`)
  expect(await served()).toBe(before)
})

test('destroy removes nothing under a running deploy, and scale waits for it as long as it is told', async () => {
  await hold()
  const running = startDeploy()
  await begun()
  const refused = await story.kraft(['destroy:live', '--yes'], { cwd: project })
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(failure(refused.stderr)).toMatch(/somebody else is changing clock now: \S+@\S+, since/)
  const waited = await story.kraft(['scale:live', 'web=2', '--wait', '1'], { cwd: project })
  expect([waited.code, waited.stderr]).toEqual([1, expect.stringMatching(/one: waiting for \S+@\S+, since/)])
  await letGo()
  const { code, stderr } = await running.ended
  expect(code, stderr).toBe(0)
  expect(await served()).toMatch(/^\d{8}-\d{6}$/)
  await story.must(['destroy:live', '--yes'], { cwd: project })
})
