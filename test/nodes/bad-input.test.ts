import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { nodeState } from '../rig/node-state.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { type Running, startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

const wsgi = `import os

def application(environ, start_response):
    environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`
const base = `name: shop
domain: shop.test
wsgi: shop.wsgi:application
workers: 1
max_body: 1 MB
`
const stage = 'environments: { stage: { nodes: [one] } }\n'
const good: Files = { 'kraftwerk.yaml': base + stage, 'shop/__init__.py': '', 'shop/wsgi.py': wsgi }

let story: Story
let address: string
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'shop')
  await writeFiles(project, good)
  await story.must(['provision', 'one'], { cwd: story.home })
  address = await story.address('one')
})
afterAll(() => story?.remove())

const deploy = (cwd = project, seconds = 240) => story.kraft(['deploy:stage'], { cwd, seconds })
const serving = async () => (await ask(address, { host: 'shop.test', path: '/' })).text

/**
 * The node's state without what is no deploy's: the numbers of locks, which never begin anew because a laptop may wake up with an
 * old one, supervisors that have ended and that runsvdir has yet to notice, what logrotate does at midnight, and what pip and uv remember
 * of an index.
 */
async function stateOfNode(): Promise<string> {
  const rows = (await nodeState(story, 'one')).split('\n')
  // What the node's memory leaves to PostgreSQL is the node's.
  return rows
    .filter(
      (row) =>
        !/^\/etc\/postgresql\/\S+\/50-kraftwerk\.conf |^\/var\/lib\/kraftwerk\/locks\/|<defunct>|^\/web\/[^/]+\/(log\/\.old |venvs\/\.home\/\.cache)/.test(
          row,
        ),
    )
    .join('\n')
}

/** A folder with a copy of the project and these changes. */
async function changed(files: Files): Promise<string> {
  const folder = join(story.home, 'changed', 'shop')
  await rm(folder, { recursive: true, force: true })
  await cp(project, folder, { recursive: true })
  await writeFiles(folder, files)
  return folder
}

test('a node that is not bootstrapped is left as it is, and named', async () => {
  const files =
    'find / -xdev \\( -path /proc -o -path /run -o -path /tmp -o -path /var/log -o -path /root \\) -prune -o -print | sort'
  const before = await story.onNode('one', files)
  const { code, stdout, stderr } = await deploy()
  expect(failure(stderr)).toContain('error: one: The node is bootstrapped: failed with code 1')
  expect(failure(stderr)).toContain('Prepare the node first:  kraft bootstrap:one')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(await story.onNode('one', files)).toBe(before)
})

describe('on a node that serves a release', () => {
  let release: string
  beforeAll(async () => {
    await story.must(['terminate:one', '--yes'])
    await provisionPrepared(story, ['one'])
    await story.must(['deploy:stage'], { cwd: project })
    release = await serving()
    expect(release).toMatch(/^\d{8}-\d{6}$/)
    await story.onNode('one', 'mkdir -p /run/web/.ends')
    // A user of the node's own, whose name no project may take.
    await story.onNode('one', 'useradd --system gardener')
  })

  const still = 'next:  Nothing was switched: shop serves what it served before'
  const gone = 'next:  Nothing of fresh is left on the node'
  const fresh = { name: 'name: fresh\n', domain: 'domain: fresh.test\n' }
  const yaml = (text: string) => ({ 'kraftwerk.yaml': text })

  test.each<[what: string, files: Files, said: readonly (string | RegExp)[]]>([
    [
      'a module that does not import',
      { 'shop/wsgi.py': `import nowhere\n${wsgi}` },
      ['The application does not start.', "ModuleNotFoundError: No module named 'nowhere'", still],
    ],
    [
      'a callable that is not there',
      { 'shop/wsgi.py': 'application = None\ndel application\n' },
      ["Failed to find attribute 'application' in 'shop.wsgi'", still],
    ],
    [
      'code that fails on import',
      { 'shop/wsgi.py': 'raise RuntimeError("boom")\napplication = None\n' },
      ['RuntimeError: boom', still],
    ],
    [
      'an application that answers 500',
      { 'shop/wsgi.py': wsgi.replace("os.environ['KRAFT_RELEASE']", '{}["nothing"]') },
      ['The application answers / with code 500 (Host: shop.test)', "KeyError: 'nothing'", still],
    ],
    [
      'an application that answers 400',
      { 'shop/wsgi.py': wsgi.replace('200 OK', '400 Bad Request') },
      ['The application answers / with code 400 (Host: shop.test)', still],
    ],
    [
      'a requirement that no index has',
      { 'requirements.txt': 'gunicorn==0.0.1\n' },
      ['No matching distribution found for gunicorn==0.0.1', still],
    ],
    ['a requirement that is none', { 'requirements.txt': 'djang o\n' }, ["Invalid requirement: 'djang o'", still]],
    [
      'a Python that the node does not have',
      yaml(`${base}python: "3.9"\n${stage}`),
      ['There is no python3.9 on this node, which has Python 3.', still],
    ],
    [
      'a Debian package that there is not',
      yaml(`${base}apt: [no-such-thing]\n${stage}`),
      ['Unable to locate package no-such-thing', still],
    ],
    [
      'a release command that fails',
      yaml(`${base}release: echo counting; exit 3\n${stage}`),
      ['error: one: echo counting; exit 3: failed with code 3\n  | counting\n', still],
    ],
    [
      'a release command that has run before something else fails',
      { ...yaml(`${base}release: echo counted\n${stage}`), 'shop/wsgi.py': 'raise RuntimeError("boom")\napplication = None\n' },
      [`${still}, but the release command (echo counted) has run. Correct it and run the same command again`],
    ],
    [
      'a site that nginx refuses',
      { 'templates/nginx/site.conf.ejs': 'server {\n  lisen 80;\n}\n' },
      [
        'nginx refuses this configuration; the former one is back',
        'unknown directive "lisen" in /etc/nginx/sites-enabled/shop.conf:2',
        still,
      ],
    ],
    [
      'a name that another environment owns',
      yaml(`${base}environments: { live: { nodes: [one] }, stage: { name: other, domain: other.test, nodes: [one] } }\n`),
      ['shop belongs to another project or environment on this node: "shop stage" (this is "shop live")', 'name: shop-2'],
    ],
    [
      'a name that another project owns',
      yaml(`${base.replace('name: shop\n', 'name: mine\n')}environments: { stage: { name: shop, nodes: [one] } }\n`),
      ['shop belongs to another project or environment on this node: "shop stage" (this is "mine stage")', 'name: shop-2'],
    ],
    [
      'a name that a user of the node has',
      yaml(base.replace('name: shop\n', 'name: gardener\n').replace('domain: shop.test\n', fresh.domain) + stage),
      ['The node has a user or folder called gardener that kraft did not make', 'name: gardener-2'],
    ],
    [
      'a domain that another site has',
      yaml(base.replace('name: shop\n', fresh.name) + stage),
      [
        'Another site of this node serves shop.test already: /etc/nginx/sites-enabled/shop.conf',
        'Take the name out of domain and aliases',
      ],
    ],
    [
      'an alias that another site has',
      yaml(
        `${base.replace('name: shop\n', fresh.name).replace('domain: shop.test\n', fresh.domain)}aliases: [shop.test]\n${stage}`,
      ),
      ['Another site of this node serves shop.test already'],
    ],
    [
      'a first deploy that fails',
      {
        ...yaml(
          `${base.replace('name: shop\n', fresh.name).replace('domain: shop.test\n', fresh.domain)}services: [postgres, files]\n${stage}`,
        ),
        'shop/wsgi.py': 'raise RuntimeError("boom")\napplication = None\n',
      },
      ['RuntimeError: boom', gone],
    ],
  ])('%s is told, and leaves the node as it was', async (what, files, said) => {
    const before = await stateOfNode()
    const folder = await changed(files)
    const target = what.includes('another environment') ? 'live' : 'stage'
    const { code, stdout, stderr } = await story.kraft([`deploy:${target}`], { cwd: folder })
    for (const text of said) expect(failure(stderr)).toContain(text)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.match(/^error: /gm)).toHaveLength(1)
    expect(stderr).not.toMatch(/^\s+at .*:\d+/m)
    expect(await stateOfNode()).toBe(before)
    expect(await serving()).toBe(release)
  })

  test('a body beyond max_body is refused by nginx, and nothing else is', async () => {
    const post = (bytes: number) => ask(address, { host: 'shop.test', path: '/', method: 'POST', body: Buffer.alloc(bytes) })
    expect((await post(1_100_000)).status).toBe(413)
    expect((await post(900_000)).text).toBe(release)
  })

  test('a command of a kraftfile that fails on the node is told with its last lines', async () => {
    const folder = await changed({
      'kraftfile.ts':
        "import { task } from 'kraftwerk'\nexport const boom = task({ run: ({ $ }) => $`echo a; echo b >&2; exit 7` })\n",
    })
    const { code, stdout, stderr } = await story.kraft(['boom:stage', '--json'], { cwd: folder })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(failure(stderr)).toMatch(/^error: one: echo a; echo b >&2; exit 7: ended with code 7\n( {2}\| [ab]\n?){2}$/)
  })

  test('a command of the project passes its code on, and kraft itself says 255', async () => {
    expect(await story.kraft(['run:stage', '--', 'sh', '-c', 'exit 42'], { cwd: project })).toMatchObject({ code: 42 })
    const folder = await changed(yaml(base.replace('name: shop\n', fresh.name) + stage))
    const ran = await story.kraft(['run:stage', '--', 'true'], { cwd: folder })
    expect(ran).toMatchObject({ code: 255, stdout: '' })
    expect(ran.stderr).toContain('fresh is not deployed there yet: kraft deploy:stage')
  })

  describe('and a deploy that does not come to its end', () => {
    let slow: string
    let running: Running
    beforeAll(async () => {
      slow = await changed(yaml(`${base}release: sleep 8\n${stage}`))
    })
    /** Starts the slow deploy and waits until its release command runs. */
    async function begin(): Promise<void> {
      running = startKraft(['deploy:stage'], { cwd: slow, env: story.env })
      await running.says('> Release\n')
      // The line of a step is printed when it has ended, so ask the node.
      await until(() => story.onNode('one', 'pgrep -u shop -f "^sleep 8" || :'))
    }

    test('refuses another one meanwhile, naming who is at it', async () => {
      await begin()
      const second = await deploy()
      expect(second).toMatchObject({ code: 1, stdout: '' })
      expect(failure(second.stderr)).toMatch(
        /^error: one: somebody else is changing shop now: \S+@\S+, since \d{4}-\d\d-\d\d .*\nnext: {2}Wait/,
      )
      expect(await running.ended).toMatchObject({ code: 0 })
      release = await serving()
    })

    test('ends with 130 on Ctrl-C and frees the lock; the next one works and nothing of it stays', async () => {
      await begin()
      running.child.kill('SIGINT')
      const { code, stderr } = await running.ended
      expect(code).toBe(130)
      expect(failure(stderr)).toBe('error: Interrupted; what a node had begun it finishes, and the next run continues from there')
      expect(await serving()).toBe(release)
      await succeeds()
    })

    test('that is killed leaves the old release serving; the next one waits for what it began, works, and nothing of it stays', async () => {
      await begin()
      running.child.kill('SIGKILL')
      expect(await running.ended).toMatchObject({ signal: 'SIGKILL' })
      expect(await serving()).toBe(release)
      await succeeds()
    })

    test('that is killed while the new processes start leaves none of them', async () => {
      const starting = await changed({ 'shop/wsgi.py': `import time\ntime.sleep(20)\n${wsgi}` })
      running = startKraft(['deploy:stage'], { cwd: starting, env: story.env })
      await running.says('> Health check')
      await sleep(1000)
      running.child.kill('SIGKILL')
      await running.ended
      expect(await serving()).toBe(release)
      await succeeds()
      expect((await story.onNode('one', 'ls /etc/service | grep -c "^shop.web"')).trim()).toBe('1')
    })

    test('that fails ends what it started also while runsvdir sees nothing', async () => {
      const ill = await changed({
        ...yaml(`${base}health: { path: /, tries: 12 }\n${stage}`),
        'shop/wsgi.py': wsgi.replace('200 OK', '500 Internal Server Error'),
      })
      const services = 'pgrep -r S -af "^runsv " | cut -d" " -f3 | sort'
      const before = await story.onNode('one', services)
      const main = '$(systemctl show --property MainPID --value runit.service)'
      running = startKraft(['deploy:stage'], { cwd: ill, env: story.env })
      try {
        await until(() => story.onNode('one', 'ls /run/web/shop | sed 1d'))
        await story.onNode('one', `kill -STOP ${main}`)
        expect(await running.ended).toMatchObject({ code: 1 })
        expect(await story.onNode('one', services)).toBe(before)
      } finally {
        await story.onNode('one', `kill -CONT ${main}`)
      }
    })

    async function succeeds(): Promise<void> {
      // The release of the former one may be of this very second, and no two have the same id.
      await sleep(1000 - (Date.now() % 1000))
      const begun = performance.now()
      await story.must(['deploy:stage'], { cwd: project })
      expect(performance.now() - begun).toBeLessThan(60_000)
      // What was begun goes on to its end on the node, so that it may have served in between; nothing is left half done.
      const ids =
        'cd /web/shop/releases; for id in $(ls -A); do if [ -e $id/.kraft/served ]; then echo $id; else echo $id unfinished; fi; done'
      const releases = (await story.onNode('one', ids)).trim().split('\n')
      const before = release
      release = await serving()
      expect(releases.at(-1)).toBe(release)
      expect(releases).toContain(before)
      expect(releases.join()).not.toContain('unfinished')
    }
  })

  async function until(look: () => Promise<string>): Promise<void> {
    const end = Date.now() + 30_000
    while ((await look()).trim() === '') {
      if (Date.now() > end) throw new Error('Waited 30 s in vain')
      await sleep(100)
    }
  }
})
