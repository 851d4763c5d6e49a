import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { findMirror } from '../../recipes/providers/local/mirror.js'
import { chapters } from '../rig/chapters.js'
import { ask } from '../rig/http.js'
import { call } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { kraftInTerminal } from '../rig/terminal.js'

const { chapter, essential } = chapters()
const host = 'guestbook.example.com'

/** Whether this machine's apt reaches the mirror that images of Ubuntu are made from. Where it does not, no such node can be had. */
async function mirrorAnswers(): Promise<boolean> {
  const { main } = await findMirror('noble')
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-mirror-'))
  const given = ['-qq', '-o', 'Acquire::Retries=2', 'download-file', `${main}/dists/noble/Release`, join(folder, 'Release')]
  const { code } = await call('/usr/lib/apt/apt-helper', given, { cwd: folder, env: process.env })
  await rm(folder, { recursive: true })
  return code === 0
}

// The main job on Ubuntu; what becomes of a node in particular is told by the stories on Debian.
describe.skipIf(!(await mirrorAnswers()))('Ubuntu 24.04, where its mirror answers', () => {
  let story: Story

  beforeAll(async () => {
    story = await beginStory('guestbook')
  })
  afterAll(() => story?.remove())

  essential('is what a node of the image noble has, and it is bootstrapped', async () => {
    await provisionPrepared(story, ['one'], 'root', 'noble')
    expect(await story.onNode('one', 'cat /proc/1/comm; . /etc/os-release; echo $ID $VERSION_ID')).toBe('systemd\nubuntu 24.04\n')
  })

  chapter('a second bootstrap changes nothing', async () => {
    expect((await story.must(['bootstrap:one'], { cwd: story.home })).stdout).toBe('one: 0 changes\n')
  })

  essential('a Django project with PostgreSQL is deployed: pages, rows and static files come through nginx', async () => {
    await story.must(['deploy:live'])
    const address = await story.address('one')
    const get = async (path: string) => (await ask(address, { host, path })).text
    expect(await get('/')).toContain('You are the first one here')
    expect(JSON.parse(await get('/api/entries'))).toMatchObject({ count: 0 })
    expect(await get('/static/admin/css/base.css')).toContain(':root')
  })

  chapter('what is live goes once its name is typed, for a yes is given too quickly', async () => {
    const destroy = async (answer: string) => {
      const terminal = await kraftInTerminal(['destroy:live'], { cwd: story.project, env: story.env })
      await terminal.sees('It is live: type guestbook to go on')
      terminal.type(`${answer}\r`)
      return terminal.ended()
    }
    expect(await destroy('yes')).toBe(130)
    expect(await story.onNode('one', 'ls /web')).toBe('guestbook\n')
    expect(await destroy('guestbook')).toBe(0)
    expect(await story.onNode('one', 'ls /web')).toBe('')
  })
})
