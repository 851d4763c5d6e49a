import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { ensurePackages } from '../rig/packages.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const files: Files = {
  'kraftwerk.yaml': `name: shop
wsgi: shop.wsgi:application
workers: 1
shared: [media]
release: echo "$KRAFT_RELEASE" >>"$HOME/migrated"
hooks: { before-build: { local: echo built >>built.txt } }
health: { path: /, tries: 2, timeout: 2 }
environments:
  stage: { name: shop-stage, domain: stage.example.com, nodes: [one] }
  twin: { name: shop-twin, domain: twin.example.com, nodes: [one] }
  pair: { name: shop-pair, domain: pair.example.com, nodes: [one, two] }
  live: { domain: shop.example.com, live: true, nodes: [two] }
`,
  // Whatever version is the newest; another one is installed on the node by hand.
  'requirements.txt': 'six\n',
  'kraftfile.ts': `import { before, task } from 'kraftwerk'
import { deploy } from 'kraftwerk/tasks'
before(deploy, task({ on: 'once', run: ({ target, line }) => line.output('hooked for ' + target.word) }))
`,
  'shop/__init__.py': '',
  'shop/wsgi.py': page('first'),
  'bin/tool': '#!/bin/sh\n',
  'media/first.txt': 'shared from the beginning\n',
}

function page(word: string): string {
  return `import os, six
def application(environ, start_response):
    start_response('500 Broken' if os.path.exists('/etc/broken') else '200 OK', [('Content-Type', 'text/plain')])
    return [('${word} ' + six.__version__).encode()]
`
}

let story: Story
let project: string
let stage: { release: string; commit: string; revision: string; dirty: boolean }
beforeAll(async () => {
  await ensurePackages(['git'])
  story = await beginStory('httpbin')
  project = join(story.home, 'shop')
  await writeFiles(project, files)
  await story.bash(
    'chmod +x bin/tool && git init -q -b main && git add . && git -c user.name=A -c user.email=a@example.com commit -qm x && touch notes.txt',
    {
      cwd: project,
    },
  )
  await provisionPrepared(story, ['one', 'two'])
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const json = async (...args: string[]) => JSON.parse((await story.must([...args, '--json'], { cwd: project })).stdout)
const visit = async (node: string, host: string) => (await ask(await story.address(node), { host, path: '/' })).text
/** Kind, mode and content of all that a release has of the project, without kraft's own. */
const tree = (node: string, home: string) =>
  story.onNode(
    node,
    `cd ${home}/current/; find . -path ./.kraft -prune -o -path ./media -o -printf '%y %m %p\\n' | sort
    find . -path ./.kraft -prune -o -type f -exec sha256sum {} + | sort`,
  )

test('what stage does not run, and what is no other environment, is refused with a sentence', async () => {
  const said = async (...args: string[]) => {
    const { code, stderr } = await kraft('promote:stage', ...args)
    return [code, failure(stderr)]
  }
  expect(await said('live')).toEqual([1, expect.stringMatching(/shop-stage has no release there yet\nnext: {2}Deploy it first/)])
  expect(await said('stage')).toEqual([2, expect.stringContaining('stage and stage are the same environment')])
  expect(await said('lvie')).toEqual([2, expect.stringContaining('Did you mean "live"?')])
  expect(await said()).toEqual([2, expect.stringContaining('promote needs TO: the environment that gets it')])
  expect(await said('all')).toEqual([2, expect.stringContaining('one environment to one other')])
  expect(await said('live', '--limit', 'two')).toEqual([2, expect.stringContaining('so --limit means nothing to it')])
  expect(await story.onNode('two', 'ls /web')).toBe('')
})

test('live gets the release that stage runs, whatever the working tree holds by now, with the same versions', async () => {
  stage = await json('deploy:stage')
  expect(stage).toMatchObject({ revision: 'main', dirty: true })
  await story.onNode('one', 'cd /web/shop-stage/current/.kraft/venv; bin/python -m pip install -q six==1.15.0')
  await writeFiles(project, { 'shop/wsgi.py': page('second'), 'new.txt': 'new' })

  const dry = await kraft('promote:stage', 'live', '--dry-run')
  expect(dry.code, dry.stderr).toBe(0)
  expect(dry.stderr).toMatch(/it would be 8 of 8 files, /)
  expect(await story.onNode('two', 'ls /web')).toBe('')

  const { stdout, stderr } = await story.must(['promote:stage', 'live'], { cwd: project })
  expect(stdout).toMatch(new RegExp(`^shop is at release \\S+, promoted from shop stage ${stage.release}$`, 'm'))
  expect(stderr).toContain('hooked for live')
  expect(await visit('two', 'shop.example.com')).toBe('first 1.15.0')
  expect(await tree('two', '/web/shop')).toBe(await tree('one', '/web/shop-stage'))
  expect(await story.onNode('two', 'ls /web/shop/shared/media; cat /web/shop/current/built.txt')).toBe('built\n')
  const { release } = (await json('status:live')).nodes[0]
  expect(await story.onNode('two', 'cat /web/shop/home/migrated')).toBe(`${release}\n`)
})

test('where it came from is in the receipt, in releases and in status', async () => {
  const from = `shop stage ${stage.release}`
  const [held] = (await json('releases:live')).two
  expect(held).toMatchObject({ commit: stage.commit, revision: 'main', dirty: true, promoted_from: from })
  expect((await kraft('releases:live')).stdout).toContain(
    `main ${stage.commit.slice(0, 10)} with changes  current, promoted from ${from}`,
  )
  expect((await kraft('status:live')).stdout.split('\n')[0]).toBe(`two: release ${held.id}, promoted from ${from}`)
  expect(await story.onNode('two', 'cut -d " " -f 3- /web/shop/log/kraft')).toContain('promote')
})

test('a node that has both environments gets no byte', async () => {
  const { sent, promoted_from: from } = await json('promote:stage', 'twin')
  expect([sent, from]).toEqual([{ one: { files: 0, bytes: 0 } }, `shop stage ${stage.release}`])
  expect(await visit('one', 'twin.example.com')).toBe('first 1.15.0')
  expect(await tree('one', '/web/shop-twin')).toBe(await tree('one', '/web/shop-stage'))
})

test('it goes to several nodes in batches; what a part that fails leaves is promoted to nobody until the nodes are one again', async () => {
  const served = () => Promise.all(['one', 'two'].map((name) => visit(name, 'pair.example.com')))
  await story.must(['deploy:pair'], { cwd: project })
  const second = await served()
  expect(second).toEqual([expect.stringContaining('second '), second[0]])
  const former = (await json('status:pair')).nodes[0].release

  await story.onNode('two', 'touch /etc/broken')
  const ran = await kraft('promote:stage', 'pair', '--batch', '1')
  await story.onNode('two', 'rm /etc/broken')
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/^changed +one \(\d+\)\nfailed +two$/m)])
  expect(await served()).toEqual(['first 1.15.0', second[1]])

  const before = await story.onNode('two', 'ls -lR --full-time /web/shop/releases /web/shop/current')
  const { code, stderr } = await kraft('promote:pair', 'live')
  expect([code, failure(stderr)]).toEqual([
    1,
    expect.stringMatching(
      new RegExp(
        `The nodes of pair serve different releases: \\S+, ${former}\nnext: {2}.*kraft rollback:pair.*kraft deploy:pair`,
      ),
    ),
  ])
  expect(await story.onNode('two', 'ls -lR --full-time /web/shop/releases /web/shop/current')).toBe(before)
  expect((await kraft('status:pair')).stdout).toContain(
    'The nodes serve different releases: kraft deploy:pair or kraft rollback:pair makes them one',
  )
  await story.must(['rollback:pair'], { cwd: project })
  expect(await served()).toEqual(second)
  const held: { state: string }[] = (await json('releases:pair')).two
  expect(held.find(({ state }) => state === 'current')).toMatchObject({ id: former, bad: null })

  const { sent } = await json('promote:stage', 'pair', '--batch', '1')
  expect(Object.keys(sent)).toEqual(['one', 'two'])
  expect(await served()).toEqual(['first 1.15.0', 'first 1.15.0'])
})

test('what somebody changed on the node is not passed on', async () => {
  const before = await visit('two', 'shop.example.com')
  await story.onNode('one', 'echo "# by hand" >>/web/shop-stage/current/shop/wsgi.py')
  const { code, stderr } = await kraft('promote:stage', 'live')
  expect([code, failure(stderr)]).toEqual([
    1,
    expect.stringContaining(`shop-stage ${stage.release} is not any more what was uploaded: shop/wsgi.py`),
  ])
  expect(await visit('two', 'shop.example.com')).toBe(before)
})
