import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { flawless, underLoad } from '../rig/load-client.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

let story: Story
let project: string
let address: Readonly<Record<string, string>>
const host = 'scales.example.com'

const files = {
  'kraftwerk.yaml': `name: scales
domain: ${host}
wsgi: scales.wsgi:application
packages: []
workers: 2
threads: 4
static_url: /assets/
cdn: cdn.test
cache: { /news/: { browser: 10m, nginx: 1h } }
environments: { live: { nodes: { web: [left, right], balancer: [front] } } }
`,
  'scales/__init__.py': '',
  'scales/static/site.0123456789ab.css': 'body { color: red }',
  'scales/wsgi.py': `import os, time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/slow':
        time.sleep(1.5)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environ['PATH_INFO'] == '/visitor':
        names = ['HTTP_X_REAL_IP', 'HTTP_X_FORWARDED_FOR', 'HTTP_X_FORWARDED_PROTO', 'HTTP_HOST']
        return [' | '.join(environ.get(name, '-') for name in names).encode()]
    if environ['PATH_INFO'] == '/assets-are':
        return [(os.environ['STATIC_URL'] + ' ' + os.environ['CDN_HOST']).encode()]
    return [(os.environ['KRAFT_RELEASE'] + '@' + os.uname().nodename + ' ' + environ['REQUEST_METHOD']).encode()]
`,
}

beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'scales')
  await writeFiles(project, files)
  await provisionPrepared(story, ['left', 'right', 'front'])
  const each = ['left', 'right', 'front'].map(async (name) => [name, await story.address(name)])
  address = Object.fromEntries(await Promise.all(each))
  await story.must(['deploy:live'], { cwd: project })
})
afterAll(() => story?.remove())

const through = (path: string, method = 'GET', node = 'front') =>
  ask(address[node] ?? '', { host, path, method, headers: { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' } })
/** The web nodes that answer so many requests, each of which must be answered well. */
async function answering(method = 'GET', count = 12): Promise<readonly string[]> {
  const seen = new Set<string>()
  for (let each = 0; each < count; each += 1) {
    const { status, text } = await through('/', method)
    expect([status, text]).toEqual([200, expect.stringContaining(` ${method}`)])
    seen.add(text.replace(/^.*@/, '').replace(/ .*$/, ''))
  }
  return [...seen].sort()
}

test('a deploy under load through the balancer loses no request, and both web nodes answer', async () => {
  const before = (await through('/')).text.slice(0, 15)
  const site = { address: address.front ?? '', host }
  const answer = /^\d{8}-\d{6}@(left|right) GET$/
  const { result, reports } = await underLoad(site, () => story.must(['deploy:live', '--json'], { cwd: project }), {
    quick: '/',
    slow: '/slow',
    answer,
  })
  flawless(reports, { fresh: 100, kept: 100, slow: 2 })
  const { release } = JSON.parse(result.stdout)
  const seen = Object.values(reports).flatMap(({ samples }) => samples.map((sample) => sample.release.replace(' GET', '')))
  expect([...new Set(seen)].sort()).toEqual([before, release].flatMap((each) => [`${each}@left`, `${each}@right`]).sort())
  // Each was taken out, with a timer should kraft die, and put back.
  const timers = await story.onNode('front', "systemctl list-units --no-legend 'run-*.timer'")
  for (const name of ['left', 'right']) expect(timers).toContain(`rm -f /run/web/.out/scales/${name}`)
  expect(await story.onNode('front', 'ls /run/web/.out/scales')).toBe('')
})

test('diff shows where the balancer itself differs', async () => {
  const diff = async () => (await story.must(['diff:live'], { cwd: project })).stdout
  expect(await diff()).toContain('front: balancer; a deploy would change nothing')
  const site = '/etc/nginx/sites-enabled/scales.conf'
  await story.onNode('front', `cp -p ${site} /root/kept; sed -i 's/proxy_connect_timeout 3s/proxy_connect_timeout 9s/' ${site}`)
  expect(await diff()).toMatch(/^front: balancer\nConfiguration\n {2}File \S+scales\.conf\n(.*\n)* {4}-.*9s;\n {4}\+.*3s;$/m)
  await story.onNode('front', `mv /root/kept ${site}`)
})

test('web nodes believe their balancer who the visitor is, and nobody else', async () => {
  const [me = ''] = (await through('/visitor', 'GET', 'left')).text.split(' | ')
  expect(me).toMatch(/^10\./)
  expect((await through('/visitor')).text).toBe(`${me} | 192.0.2.7, ${me} | http | ${host}`)
  expect((await through('/visitor', 'GET', 'left')).text).toBe(`${me} | 192.0.2.7, ${me} | http | ${host}`)
  await story.onNode('front', `curl -sS -H 'Host: ${host}' http://127.0.0.1/visitor >/tmp/said`)
  expect(await story.onNode('front', 'cat /tmp/said')).toMatch(/^127\.0\.0\.1 \| 127\.0\.0\.1 \| http/)
})

test('what web nodes keep and static files come through the balancer, and a deploy begins with empty caches', async () => {
  const get = (path: string, headers = {}) => ask(address.front ?? '', { host, path, headers })
  /** So many requests in turn: what came from a cache, and which releases answered. */
  const news = async () => {
    const answers = []
    for (let each = 0; each < 8; each += 1) answers.push(await get('/news/a'))
    for (const { headers } of answers) expect(headers['cache-control']).toBe('max-age=600')
    const cached = answers.map(({ headers }) => headers['x-cache'])
    return { cached: cached.toSorted(), releases: [...new Set(answers.map(({ text }) => text.replace(/@.*$/, '')))] }
  }
  const cached = [...Array(6).fill('HIT'), 'MISS', 'MISS']
  const former = (await through('/')).text.slice(0, 15)
  expect(await news()).toEqual({ cached, releases: [former] })
  expect((await get('/news/a', { cookie: 'sessionid=1' })).headers['x-cache']).toBe('BYPASS')
  expect((await get('/assets-are')).text).toBe('https://cdn.test/assets/ cdn.test')

  await rm(join(project, 'scales/static/site.0123456789ab.css'))
  const { release } = JSON.parse((await story.must(['deploy:live', '--json'], { cwd: project })).stdout)
  expect(await news()).toEqual({ cached, releases: [release] })
  // Pages that are still open ask for what the former release had.
  for (const node of ['left', 'right']) {
    const { status, text, headers } = await get('/assets/site.0123456789ab.css')
    expect([node, status, text]).toEqual([node, 200, 'body { color: red }'])
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
    })
  }
})

test('a web node that is taken out gets nothing, and one that is gone costs nothing', async () => {
  expect(await answering()).toEqual(['left', 'right'])
  await story.onNode('front', 'touch /run/web/.out/scales/left')
  expect(await answering()).toEqual(['right'])
  // It is asked all the same where nobody else is left.
  await story.onNode('right', 'systemctl stop nginx')
  expect(await answering()).toEqual(['left'])
  await story.onNode('front', 'rm /run/web/.out/scales/left')
  expect(await answering()).toEqual(['left'])
  expect(await answering('POST')).toEqual(['left'])
  await story.onNode('right', 'systemctl start nginx')
})

test('a node that only balances has no code, and gives everything back', async () => {
  expect(await story.onNode('front', 'ls -d /web/scales /etc/sv/scales.* 2>/dev/null || :')).toBe('')
  const { stdout } = await story.must(['run:live', '--each', '--', 'hostname'], { cwd: project })
  expect(stdout.trim().split('\n').sort()).toEqual([expect.stringContaining('left'), expect.stringContaining('right')])
  await story.must(['destroy:live', '--yes'], { cwd: project })
  expect(await story.onNode('front', 'ls -d /etc/kraftwerk/scales /etc/nginx/sites-enabled/scales.conf 2>/dev/null || :')).toBe(
    '',
  )
})
