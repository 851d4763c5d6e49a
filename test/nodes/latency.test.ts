import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type FarNodes, overCable } from '../../bench/cable.mjs'
import { chapters } from '../rig/chapters.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import type { Ran } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A real node at the end of a cable on which a round trip takes 51 ms. How many there are is asserted, how long they take is not.
const { chapter, essential } = chapters()
const host = 'far.example.com'
const files: Files = {
  'kraftwerk.yaml': `version: 1
domain: ${host}
wsgi: far.wsgi:application
services: [files]
workers: 1
environments: { away: { nodes: [far-one] } }
`,
  'far/__init__.py': '',
  'far/wsgi.py': `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f"{os.environ['KRAFT_RELEASE']} {os.getppid()}".encode()]
`,
}

let story: Story
let project: string
let address: string
let cable: FarNodes | undefined

beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'far')
  await writeFiles(project, files)
  // A first bootstrap is a minute of apt-get, which is the same at any distance.
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  cable = await overCable(story.home, ['one'], 25.5)
})
afterAll(async () => {
  await story?.kraft(['disconnect'], { cwd: story.home })
  await cable?.stop()
  await story?.remove()
})

const kraft = (args: readonly string[], stdin?: Buffer): Promise<Ran> =>
  story.must(args, { cwd: project, ...(stdin !== undefined && { stdin }) })
const there = (script: string, stdin?: Buffer): Promise<Ran> => kraft(['run:away', '--', 'sh', '-c', script], stdin)
const answer = async () => (await ask(address, { host, path: '/' })).text.split(' ')
const sum = (of: Buffer) => createHash('sha256').update(of).digest('hex')

chapter('a second bootstrap changes nothing', async () => {
  const { stdout, stderr } = await kraft(['bootstrap:far-one'])
  expect(stdout, stderr).toBe('far-one: 0 changes\n')
})

essential('a deploy puts the site there, and a reload starts it anew', async () => {
  const [, release] = /^far is at release (\S+)$/m.exec((await kraft(['deploy:away'])).stdout) ?? []
  const before = await answer()
  expect(before[0]).toBe(release)
  await kraft(['reload:away'])
  const after = await answer()
  expect([after[0], after[1] === before[1]]).toEqual([release, false])
})

chapter('a script of several commands pays for one handshake', async () => {
  await kraft(['disconnect'])
  const before = cable?.connections() ?? 0
  const turns: number[] = []
  for (const word of ['one', 'two', 'three', 'four', 'five']) {
    cable?.turns()
    expect((await kraft(['run:away', '--', 'echo', word])).stdout).toBe(`${word}\n`)
    turns.push(cable?.turns() ?? 0)
  }
  expect((cable?.connections() ?? 0) - before).toBe(1)
  const [first = 0, ...others] = turns
  // Twelve for the handshake, two for the command; a sign of life that the server is asked for meanwhile may be a third.
  expect(first, String(turns)).toBeLessThanOrEqual(14)
  expect(Math.max(...others), String(turns)).toBeLessThanOrEqual(3)
  // A cable that counts nothing would prove nothing.
  expect(Math.min(...others)).toBeGreaterThan(0)
})

chapter('a deploy where nothing changed takes at most five round trips more than any command, and a rollback three', async () => {
  await there('true')
  const fewest = async (task: string) => {
    const turns: number[] = []
    for (const _ of ['first', 'second']) {
      cable?.turns()
      await kraft([`${task}:away`])
      turns.push(cable?.turns() ?? 0)
    }
    // On a busy machine it takes long enough for a sign of life in between.
    return Math.min(...turns)
  }
  // Any command takes two.
  const deploy = await fewest('deploy')
  expect(deploy).toBeLessThanOrEqual(2 + 5)
  const rollback = await fewest('rollback')
  expect(rollback).toBeLessThanOrEqual(2 + 3)
  // A cable that counts nothing would prove nothing.
  expect(Math.min(deploy, rollback)).toBeGreaterThan(2)
})

chapter('50 MB arrive unchanged, there and back', async () => {
  const bytes = randomBytes(50_000_000)
  expect((await there('tee "$UPLOADS_PATH/large" | sha256sum', bytes)).stdout).toBe(`${sum(bytes)}  -\n`)
  const back = await there('cat "$UPLOADS_PATH/large"; rm "$UPLOADS_PATH/large"')
  expect(back.bytes.equals(bytes)).toBe(true)
})

chapter('a dump brings the data here, and a load puts it back', async () => {
  const photo = randomBytes(1_000_000)
  await there('cat >"$UPLOADS_PATH/photo"', photo)
  await kraft(['dump:away', 'before.bundle'])
  const left = await story.bash('kraft dump:away - | head -c 9 >/dev/null; exit "${PIPESTATUS[0]}"', { cwd: project })
  expect([left.code, left.stderr]).toEqual([1, expect.stringContaining('whoever was to get the bundle took no more of it')])
  await there('echo other >"$UPLOADS_PATH/photo"')
  await kraft(['load:away', 'before.bundle', '--yes'])
  expect((await there('cat "$UPLOADS_PATH/photo"')).bytes.equals(photo)).toBe(true)
})
