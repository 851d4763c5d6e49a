import { get } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Existing, existingProject } from '../rig/existing-projects.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { soak } from '../rig/soak.js'
import { beginStory, type Story } from '../rig/story-node.js'

// Applications that know nothing of kraft, from `kraft init` to answering requests with no edit of theirs or of what init wrote.
let story: Story
let address: string

beforeAll(async () => {
  story = await beginStory('httpbin')
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
})

afterAll(async () => {
  await asked.write({ answered })
  await story?.remove()
})

function fetchPage(name: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: address, path, agent: false, headers: { host: `${name}.localhost` } }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    }).on('error', reject)
  })
}

interface Site {
  readonly name: Existing
  readonly path: string
  /** What is on that page. */
  readonly text: string
  /** A file that nginx serves. */
  readonly asset?: string
}

const few: readonly Site[] = [
  { name: 'mysite', path: '/admin/login/', text: 'Django administration', asset: '/static/admin/css/base.css' },
  { name: 'flask-factory', path: '/', text: 'Celery' },
]
const more: readonly Site[] = [
  { name: 'bakery', path: '/', text: 'Welcome to your new Wagtail site', asset: '/static/css/bakery.css' },
  { name: 'flask-page', path: '/', text: 'JavaScript' },
  { name: 'web-httpbin', path: '/html', text: 'Moby-Dick' },
  { name: 'bepasty', path: '/', text: 'bepasty' },
  { name: 'corner', path: '/admin/login/', text: 'Sign in to corner', asset: '/static/website/css/custom.css' },
  { name: 'celery', path: '/', text: 'The install worked successfully' },
]
// All of them: npm run soak -- existing.
const asked = soak('existing', few.length)
const sites = [...few, ...more].slice(0, asked.count)
const answered: string[] = []

test.each(sites)('$name answers after kraft init and kraft deploy', async ({ name, path, text, asset }) => {
  const folder = await existingProject(name, story.home)
  const env = { ...story.env, KRAFT_DOMAIN: `${name}.localhost` }
  await story.must(['init'], { cwd: folder, env })
  await story.must(['deploy'], { cwd: folder, env })
  const page = await fetchPage(name, path)
  expect(page.body).toContain(text)
  expect(page.status).toBe(200)
  if (asset !== undefined) expect((await fetchPage(name, asset)).status).toBe(200)
  answered.push(name)
})
