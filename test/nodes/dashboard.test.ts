import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type Browser, type BrowserPage, startChromium } from '../rig/chromium.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { kraftProgram } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// The dashboard of a project that serves, in a real browser. KRAFT_TEST_PICTURE names a file for the picture that docs/ has.
const files: Files = {
  'kraftwerk.yaml': `name: shop
wsgi: shop.wsgi:application
packages: []
workers: 2
services: [sqlite]
processes: { worker: bash work.sh }
environments: { live: { nodes: [one] } }
`,
  'shop/__init__.py': '',
  'shop/wsgi.py': `def application(environ, start_response):
    print('asked for', environ['PATH_INFO'], flush=True)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'open']
`,
  'work.sh': "echo '<b id=injected>worker</b>'; exec sleep infinity\n",
}

/** A node that is remembered and answers nobody: nothing listens on this port of this machine. */
const away = { provider: 'static', address: '127.0.0.1', port: 9, user: 'root', host_keys: [] }

interface Dashboard {
  readonly url: string
  /** Ends it as Ctrl-C does. Returns its exit code. */
  end(): Promise<number | null>
}

let story: Story
let project: string
let browser: Browser
let dashboard: Dashboard
let page: BrowserPage
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'shop')
  await writeFiles(project, files)
  const chromium = startChromium()
  await provisionPrepared(story, ['one'])
  await story.must(['deploy:live'], { cwd: project })
  await appendFile(join(story.home, '.kraftwerk/nodes.yaml'), stringify({ away }))
  browser = await chromium
  dashboard = await start()
  page = await browser.page()
})
afterAll(async () => {
  await dashboard?.end()
  await browser?.close()
  await story?.remove()
})

/** Starts kraft dashboard, and waits until it says where. */
async function start(): Promise<Dashboard> {
  const child = spawn(process.execPath, [kraftProgram, 'dashboard', '--json'], {
    cwd: project,
    env: story.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const gone = ended.then(([code]) => {
    throw new Error(`kraft dashboard ended with code ${code}`)
  })
  gone.catch(() => undefined)
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone])
  return {
    url: JSON.parse(line).url,
    async end() {
      child.kill('SIGINT')
      return (await ended)[0]
    },
  }
}

const text = 'document.body.innerText'
/** The elements that stick out of the screen. */
const sticksOut = `[...document.querySelectorAll('body *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5).map((each) => each.outerHTML.slice(0, 100))`

/** Nothing sticks out on a phone. */
async function expectReadableOnPhone() {
  await page.resize(360, 740)
  expect(await page.evaluate(sticksOut)).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  await page.resize(1100, 900)
}

test('who has no token, or another one, sees nothing', async () => {
  const { origin } = new URL(dashboard.url)
  for (const path of ['/', '/?token=other', '/fresh?page=/', '/environments/live/logs', '/style.css']) {
    const answer = await fetch(`${origin}${path}`)
    expect([path, answer.status, await answer.text()]).toEqual([path, 401, expect.not.stringContaining('one')])
  }
})

test('the first page shows nodes and environments as they come to be known, and a node that is away holds up nobody', async () => {
  await page.resize(1100, 900)
  await page.open(dashboard.url)
  expect(await page.evaluate('location.href')).toBe(`${new URL(dashboard.url).origin}/`)
  const { stdout } = await story.must(['status:live', '--json'], { cwd: project })
  const { release } = JSON.parse(stdout).nodes[0]
  await page.waitFor(`${text}.includes('release ${release}') && ${text}.includes('2 of 2 programs run')`)
  await page.waitFor(`${text}.includes('site 200 in')`)
  await page.waitFor(`/away[^]*not reached/.test(${text}) && /one up/.test(${text})`)
  await page.waitFor("document.querySelectorAll('meter').length >= 2")
  await page.waitFor(`document.querySelector('.attention')?.innerText.includes('away')`)
  await expectReadableOnPhone()
})

test('an environment has releases, programs, services and charts, also on a phone', async () => {
  await page.evaluate('document.querySelector(\'a[href="/environments/live"]\').click()')
  await page.waitFor("document.title.startsWith('shop live')")
  await page.waitFor("document.querySelector('#link').textContent === 'live'")
  await page.waitFor(`['web', 'worker.1', 'sqlite', 'current'].every((word) => ${text}.includes(word))`)
  await page.waitFor("document.querySelectorAll('svg path').length >= 2")
  await page.waitFor("document.querySelectorAll('#logs li').length > 0")
  await expectReadableOnPhone()
})

test('a line that is logged while the page is open appears, as text whatever is in it, and the filter counts', async () => {
  const ask = (path: string) => story.onNode('one', `curl -sS -o /dev/null -H 'Host: one' http://127.0.0.1/${path}`)
  await page.waitFor(`document.querySelector('#logs ol').innerText.includes('<b id=injected>worker</b>')`)
  expect(await page.evaluate("document.querySelector('#injected')")).toBeNull()
  await ask('while-it-is-open')
  await page.waitFor(`document.querySelector('#logs ol').innerText.includes('asked for /while-it-is-open')`)
  await page.evaluate(`(() => {
    const { log, text } = document.querySelector('#logs form').elements
    log.value = 'web'
    text.value = 'OPEN-AGAIN'
    log.dispatchEvent(new Event('change'))
  })()`)
  await ask('open-again')
  await page.waitFor(`document.querySelector('#logs ol').innerText.includes('asked for /open-again')`)
  expect(await page.evaluate("document.querySelectorAll('#logs li').length")).toBe(1)
})

test('a deploy shows on the page that is open', async () => {
  await story.must(['deploy:live'], { cwd: project })
  const { stdout } = await story.must(['releases:live', '--json'], { cwd: project })
  const [{ id }] = JSON.parse(stdout).one
  await page.waitFor(`document.querySelector('.facts').innerText.includes('${id}')`)
})

test('Ctrl-C ends it, and nothing of it stays here or on the node', async () => {
  const { KRAFT_TEST_PICTURE: picture } = process.env
  if (picture !== undefined) {
    await page.evaluate('scrollTo(0, 0)')
    await writeFile(picture, await page.picture())
  }
  expect(await dashboard.end()).toBe(0)
  await page.waitFor("document.querySelector('#link').textContent.includes('has ended')")
  expect(await story.onNode('one', 'pgrep -fc "[i]mport glob, gzip" || :')).toBe('0\n')
})
