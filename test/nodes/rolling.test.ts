import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { startLoad } from '../rig/load-client.js'
import { cutPower, powerOn } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

const names = ['one', 'two', 'three']
const files: Files = {
  'kraftwerk.yaml': `name: wheel
wsgi: wheel.wsgi:application
packages: []
release: echo once >>"$HOME/migrated"
health: { path: /, tries: 3, timeout: 2 }
environments: { live: { nodes: [one, two, three] } }
`,
  'wheel/__init__.py': '',
  // A node that is marked takes no new release.
  'wheel/wsgi.py': `import os
def application(environ, start_response):
    broken = os.path.exists('/etc/broken')
    start_response('500 Broken' if broken else '200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'wheel')
  await writeFiles(project, files)
  await provisionPrepared(story, names)
})
afterEach(() => story.onNode('two', 'rm -f /etc/broken'))
afterAll(() => story?.remove())

/** The generation that each node serves. */
async function served(): Promise<readonly string[]> {
  const all = names.map((name) => story.onNode(name, 'readlink -f /web/wheel/current/.kraft/live || :'))
  return (await Promise.all(all)).map((path) => path.trim())
}

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })

test('a deploy in batches is a whole one on each part, and a part that fails stops the next', async () => {
  expect((await kraft('deploy:live')).code).toBe(0)
  const before = await served()
  expect(new Set(before).size).toBe(1)

  await story.onNode('two', 'touch /etc/broken')
  const ran = await kraft('deploy:live', '--batch', '1')
  expect([ran.code, ran.stdout]).toEqual([1, ''])
  expect(failure(ran.stderr)).toContain('The application answers / with code 500')
  expect(failure(ran.stderr)).toContain('next:  Nothing was switched there: wheel serves what it served before')
  expect(failure(ran.stderr)).toContain('1 of 3 failed: two; done: one; not run: three')
  expect(ran.stderr).toMatch(/^changed +one \(\d+\)\nfailed +two\nnot run +three$/m)
  const [first, ...others] = await served()
  expect(first).not.toBe(before[0])
  expect(others).toEqual(before.slice(1))
  const last = `next:  wheel serves release ${first?.split('/')[4]} on one, and what it served before on two, three.`
  expect(failure(ran.stderr).split('\n').at(-1)).toContain(last)

  await story.onNode('two', 'rm /etc/broken')
  const again = await kraft('deploy:live', '--batch', '50%', '--json')
  expect(again.code, again.stderr).toBe(0)
  const { release } = JSON.parse(again.stdout)
  for (const path of await served()) expect(path).toContain(release)
})

test('the release command of a deploy in batches runs once, on the first node', async () => {
  const counts = () =>
    Promise.all(names.map(async (name) => Number(await story.onNode(name, 'cat /web/wheel/home/migrated | wc -l'))))
  const before = await counts()
  await story.must(['deploy:live', '--batch', '1'], { cwd: project })
  const [one = 0, ...others] = before
  expect(await counts()).toEqual([one + 1, ...others])
})

test('a rollback of nodes that serve different releases disturbs none that serves the right one already', async () => {
  const before = await served()
  await story.onNode('two', 'touch /etc/broken')
  expect((await kraft('deploy:live', '--batch', '1')).code).toBe(1)
  const mixed = await served()
  expect([mixed[0] === before[0], ...mixed.slice(1)]).toEqual([false, ...before.slice(1)])
  // What can't start there anew leaves what serves there.
  expect((await kraft('rollback:live')).stderr).toContain('Nothing was switched: wheel serves what it served before')
  expect(await served()).toEqual(mixed)

  await story.onNode('two', 'rm /etc/broken')
  const loads = await Promise.all(
    ['two', 'three'].map(async (name) =>
      startLoad({ address: await story.address(name), host: 'wheel.test', paths: ['/'], keepAlive: false }),
    ),
  )
  await story.must(['rollback:live'], { cwd: project })
  for (const load of loads) expect((await load.stop()).failures).toEqual({})
  const release = before[0]?.split('/')[4]
  expect((await served()).map((path) => path.split('/')[4])).toEqual(names.map(() => release))
})

test('a rollback whose kraft is killed between the switches leaves a release that the next one passes over', async () => {
  await story.must(['deploy:live'], { cwd: project })
  const left = (await served())[0]?.split('/')[4]
  const running = startKraft(['rollback:live', '--verbose'], { cwd: project, env: story.env })
  await running.says('Switch to')
  running.child.kill('SIGKILL')
  await running.ended
  await story.must(['reload:live', '--wait', '60'], { cwd: project })
  const { stdout } = await story.must(['releases:live', '--json'], { cwd: project })
  const held: Record<string, { id: string; bad: string | null }[]> = JSON.parse(stdout)
  for (const name of names) expect(held[name]?.find(({ id }) => id === left)?.bad).toContain('@')
})

test('of a deploy that fails on some nodes the others are told as taken back, and what serves once for all', async () => {
  const before = await served()
  await story.onNode('two', 'touch /etc/broken')
  const ran = await kraft('deploy:live')
  expect(ran.stderr).toMatch(/^taken back +one, three\nfailed +two$/m)
  await story.onNode('three', 'touch /etc/broken')
  const { stderr } = await kraft('deploy:live', '--events')
  await story.onNode('three', 'rm /etc/broken')
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.at(-2)).toMatchObject({
    event: 'nodes',
    nodes: [
      { node: 'one', status: 'taken back' },
      { node: 'two', status: 'failed' },
      { node: 'three', status: 'failed' },
    ],
  })
  expect(events.at(-1)).toMatchObject({
    failed: [{ node: 'two' }, { node: 'three' }],
    next: expect.stringMatching(/^Nothing was switched: wheel serves what it served before/),
  })
  expect(await served()).toEqual(before)
})

test('a deploy that finds a node of the target locked has run nowhere', async () => {
  const lock =
    'mkdir -p /var/lib/kraftwerk/locks; cd /var/lib/kraftwerk/locks; echo somebody >wheel.holder; rm -f wheel.ended; touch wheel.held'
  await story.onNode(
    'three',
    `${lock}; systemd-run --quiet --unit=holder flock /var/lib/kraftwerk/locks/wheel.held sleep infinity`,
  )
  const ran = await kraft('deploy:live')
  await story.onNode('three', 'systemctl stop holder')
  expect(failure(ran.stderr)).toContain('somebody else is changing wheel now: somebody')
  expect(ran.stderr).toMatch(/^failed +three\nnot run +one, two$/m)
})

test('a reload in batches goes on where the next begins, and --retry-failed does the rest', async () => {
  const before = await served()
  await story.onNode('two', 'touch /etc/broken')
  const ran = await kraft('reload:live', '--batch', '1')
  expect(ran.code).toBe(1)
  expect(ran.stderr).toMatch(/^changed +one \(\d+\)\nfailed +two\nnot run +three$/m)
  const between = await served()
  expect(between.map((path, index) => path === before[index])).toEqual([false, true, true])

  await story.onNode('two', 'rm /etc/broken')
  expect((await kraft('reload:live', '--batch', '1', '--retry-failed')).code).toBe(0)
  expect((await served()).map((path, index) => path === between[index])).toEqual([true, false, false])
})

test('where one node cannot switch, those that have go back', async () => {
  const before = await served()
  // No link can be put in the place of a folder.
  await story.onNode('two', 'mkdir -p /web/wheel/current.new/full')
  const ran = await kraft('deploy:live')
  expect(ran.code).toBe(1)
  expect(failure(ran.stderr)).toContain('It was switched back: wheel serves what it served before')
  expect(await served()).toEqual(before)
  await story.onNode('two', 'rm -r /web/wheel/current.new')
  expect((await kraft('status:live')).stdout).not.toContain('interrupted')
})

test('a node that loses its power between the switches is shown by status, and the next command has it follow', async () => {
  const before = await served()
  // It waits here until somebody reads.
  await story.onNode('two', 'rm -f /run/web/.trial/wheel.requests.from; mkfifo /run/web/.trial/wheel.requests.from')
  const running = startKraft(['deploy:live'], { cwd: project, env: story.env })
  for (let n = 0; n < 600 && (await served())[0] === before[0]; n++) await pause(100)
  running.child.kill('SIGKILL')
  await cutPower(story, 'two')
  await running.ended
  await powerOn(story, 'two')
  const [one, two, three] = await served()
  expect(one).not.toBe(before[0])
  expect([two, three === one || three === before[2]]).toEqual([before[1], true])

  const id = one?.split('/').at(-1)
  const { stdout } = await kraft('status:live')
  expect(stdout).toContain(`two: release ${before[1]?.split('/')[4]}`)
  expect(stdout).toContain(`was to switch to ${id}, and was interrupted`)
  expect(stdout).toContain('The nodes serve different releases')

  await story.must(['reload:live'], { cwd: project })
  const after = await served()
  expect(new Set(after.map((path) => path.split('/')[4]))).toEqual(new Set([id]))
  expect((await kraft('status:live')).stdout).not.toMatch(/interrupted|different/)
})
