import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// What visitors get from nginx: static files, what is cached, and what a preview shows to whom.
const long = (word: string) => `/* ${word} */\n${'.a { color: red }\n'.repeat(200)}`
const files: Files = {
  'kraftwerk.yaml': `name: shop
wsgi: shop.wsgi:application
packages: []
release: false
workers: 1
health: /health
cdn: cdn.test
cache:
  /news/: { browser: 10m, nginx: 1h }
  /news/live/*: { browser: none }
  /brief: { nginx: 1s }
  /static/dist/: { browser: immutable }
environments: { stage: { domain: shop.test, nodes: [one] } }
`,
  'shop/__init__.py': '',
  'shop/wsgi.py': `import os
count = 0
def application(environ, start_response):
    global count
    count += 1
    path = environ['PATH_INFO']
    if path.startswith('/static/') or path == '/robots.txt':
        start_response('404 Not Found', [('Content-Type', 'text/plain')])
        return [b'the application has no such file']
    headers = [('Content-Type', 'text/plain')]
    if 'session' in path: headers.append(('Set-Cookie', 'session=1'))
    if 'own' in path: headers.append(('Cache-Control', 'max-age=5'))
    start_response('500 Broken' if os.path.exists('/etc/broken') else '200 OK', headers)
    names = ['KRAFT_RELEASE', 'STATIC_URL', 'CDN_HOST']
    said = [str(count), environ.get('HTTP_AUTHORIZATION', '-')] + [os.environ.get(name, '-') for name in names]
    return [' '.join(said).encode()]
`,
  'shop/static/site.css': long('one'),
  'shop/static/old.css': long('old'),
  'shop/static/app.0123456789ab.css': long('hashed by Django'),
  'shop/static/app-AbCd1234.js': long('hashed by Vite'),
  'shop/static/dist/Button.js': long('hashed by nobody knows whom'),
  'shop/static/module.mjs': 'export {}\n',
  'shop/static/site.webmanifest': '{}\n',
  'shop/static/letters.woff2': 'wOF2',
}

let story: Story
let project: string
let address: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'shop')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  await story.must(['deploy:stage'], { cwd: project })
})
afterAll(() => story?.remove())

const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  ask(address, { host: 'shop.test', path, method, headers })
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const year = 'public, max-age=31536000, immutable'

test('a name with a hash is kept for a year, any other file is asked for again', async () => {
  for (const path of ['app.0123456789ab.css', 'app-AbCd1234.js', 'dist/Button.js']) {
    expect((await get(`/static/${path}`)).headers['cache-control'], path).toBe(year)
  }
  const { status, headers, text } = await get('/static/site.css')
  expect([status, headers['cache-control'], text]).toEqual([200, 'public, max-age=60', long('one')])
  const etag = String(headers.etag)
  expect((await get('/static/site.css', { 'if-none-match': etag })).status).toBe(304)
  expect((await get('/static/site.css', { 'if-modified-since': String(headers['last-modified']) })).status).toBe(304)
})

test('types, HEAD, ranges, and fonts for another host', async () => {
  const type = async (path: string) => (await get(`/static/${path}`)).headers['content-type']
  expect(await type('site.css')).toBe('text/css; charset=utf-8')
  expect(await type('app-AbCd1234.js')).toBe('application/javascript; charset=utf-8')
  expect(await type('module.mjs')).toBe('text/javascript; charset=utf-8')
  expect(await type('site.webmanifest')).toBe('application/manifest+json; charset=utf-8')
  const font = await get('/static/letters.woff2')
  expect(font.headers).toMatchObject({ 'content-type': 'font/woff2', 'access-control-allow-origin': '*' })
  const head = await get('/static/site.css', {}, 'HEAD')
  expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(long('one').length), ''])
  const part = await get('/static/site.css', { range: 'bytes=3-5' })
  expect([part.status, part.text]).toEqual([206, 'one'])
})

test('text comes compressed as the browser likes it, from files that the deploy made', async () => {
  const zipped = await get('/static/site.css', { 'accept-encoding': 'gzip' })
  expect(zipped.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': 'text/css; charset=utf-8',
    vary: 'Accept-Encoding',
    'content-length': String(zipped.body.length),
  })
  expect(gunzipSync(zipped.body).toString()).toBe(long('one'))
  const brotli = await get('/static/site.css', { 'accept-encoding': 'gzip, br' })
  expect(brotli.headers).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/css; charset=utf-8' })
  expect(brotliDecompressSync(brotli.body).toString()).toBe(long('one'))
  const owners = await story.onNode('one', 'stat -c "%U %a" /web/shop/current/.kraft/public/static/site.css.*')
  expect(owners.trim().split('\n')).toEqual(['shop-build 640', 'shop-build 640'])
})

test('the application learns where its static files are', async () => {
  expect((await get('/environment')).text).toContain('https://cdn.test/static/ cdn.test')
})

test('rules say what browsers keep where the application says nothing', async () => {
  const kept = async (path: string, headers = {}) => (await get(path, headers)).headers['cache-control']
  expect(await kept('/news/a')).toBe('max-age=600')
  expect(await kept('/news/live/a')).toBe('no-store')
  expect(await kept('/news/own')).toBe('max-age=5')
  expect(await kept('/news/session')).toBe('private, max-age=600')
  expect(await kept('/news/b', { cookie: 'sessionid=1' })).toBe('private, max-age=600')
  expect(await kept('/newspaper')).toBeUndefined()
})

test('nginx keeps answers of strangers, and nothing that belongs to somebody', async () => {
  const cached = async (path: string, headers = {}, method = 'GET') => (await get(path, headers, method)).headers['x-cache']
  const first = await get('/news/c')
  const second = await get('/news/c', { cookie: '_ga=GA1.2; _gid=3' })
  expect([first.headers['x-cache'], second.headers['x-cache'], second.text]).toEqual(['MISS', 'HIT', first.text])
  expect(second.headers['cache-control']).toBe('max-age=600')
  expect(await cached('/news/c', {}, 'HEAD')).toBe('HIT')
  expect(await cached('/news/c?page=2')).toBe('MISS')
  for (const headers of [{ cookie: 'sessionid=1' }, { cookie: '_ga=1; cart=2' }, { authorization: 'Bearer x' }]) {
    expect([await cached('/news/d', headers), await cached('/news/d', headers)]).toEqual(['BYPASS', 'BYPASS'])
  }
  expect([await cached('/news/d'), await cached('/news/session'), await cached('/news/session')]).toEqual([
    'MISS',
    'MISS',
    'MISS',
  ])
  expect([await cached('/news/c', {}, 'POST'), await cached('/other')]).toEqual([undefined, undefined])
})

test('where the application fails, nginx answers with what it had', async () => {
  const before = await get('/brief')
  await story.onNode('one', 'touch /etc/broken; sleep 2.1')
  const during = await get('/brief')
  await story.onNode('one', 'rm /etc/broken')
  expect([before.headers['x-cache'], during.status, during.headers['x-cache'], during.text]).toEqual([
    'MISS',
    200,
    'STALE',
    before.text,
  ])
})

test('a reload and a deploy begin with an empty cache; a deploy keeps what has not changed and finds what pages still ask for', async () => {
  const before = await get('/news/e')
  expect((await get('/news/e')).headers['x-cache']).toBe('HIT')
  await story.must(['reload:stage'], { cwd: project })
  const reloaded = await get('/news/e')
  expect([reloaded.headers['x-cache'], (await get('/news/e')).headers['x-cache']]).toEqual(['MISS', 'HIT'])

  const former = '/web/shop/current/.kraft/public/static'
  await story.onNode('one', `printf reused | tee ${former}/dist/Button.js.gz >${former}/site.css.br`)
  const etag = (await get('/static/module.mjs')).headers.etag
  await writeFiles(project, { 'shop/static/site.css': long('two') })
  for (const gone of ['old.css', 'app.0123456789ab.css', 'app-AbCd1234.js']) await rm(join(project, 'shop/static', gone))
  await story.must(['deploy:stage'], { cwd: project })

  const deployed = await get('/news/e')
  expect(deployed.headers['x-cache']).toBe('MISS')
  expect(deployed.text.split(' ')[2]).not.toBe(before.text.split(' ')[2])
  expect((await get('/news/e')).text).toBe(deployed.text)
  expect((await get('/static/dist/Button.js', { 'accept-encoding': 'gzip' })).text).toBe('reused')
  const changed = await get('/static/site.css', { 'accept-encoding': 'br' })
  expect(brotliDecompressSync(changed.body).toString()).toBe(long('two'))
  expect((await get('/static/module.mjs')).headers.etag).toBe(etag)
  const old = await get('/static/app.0123456789ab.css', { 'accept-encoding': 'br' })
  expect([old.headers['cache-control'], brotliDecompressSync(old.body).toString()]).toEqual([year, long('hashed by Django')])
  expect((await get('/static/app-AbCd1234.js')).text).toBe(long('hashed by Vite'))
  expect((await get('/static/old.css')).text).toBe('the application has no such file')
})

const protection = (user: string) => ({
  ...story.env,
  KRAFT_PROTECT: `{ user: ${user}, password: come-in-please, except: [/hooks/], allow: [127.0.0.1] }`,
})

test('a dry run shows what a preview would become, but not its password', async () => {
  const { stdout, stderr } = await story.must(['deploy:stage', '--dry-run', '--debug'], {
    cwd: project,
    env: protection('guest'),
  })
  expect(stderr).toMatch(/Password of shop \(would change\)/)
  expect(stderr).toMatch(/\| \+ {2}auth_basic_user_file/)
  expect(stdout + stderr).not.toContain('come-in-please')
  expect((await get('/')).status).toBe(200)
})

test('a preview asks for a password, but for the paths and addresses that are named', async () => {
  const { stdout, stderr } = await story.must(['deploy:stage', '--verbose'], { cwd: project, env: protection('guest') })
  expect(stdout + stderr).not.toContain('come-in-please')
  const guest = basic('guest', 'come-in-please')
  for (const path of ['/', '/static/site.css', '/news/a']) expect((await get(path)).status, path).toBe(401)
  expect((await get('/', basic('guest', 'come-in'))).status).toBe(401)
  const inside = await get('/', guest)
  expect([inside.status, inside.headers['x-robots-tag']]).toEqual([200, 'noindex, nofollow'])
  // What the visitor told nginx is none of the application's business.
  expect(inside.text.split(' ')[1]).toBe('-')
  for (const path of ['/static/site.css', '/news/a']) {
    expect((await get(path, guest)).headers['x-robots-tag'], path).toBe('noindex, nofollow')
  }
  const hook = await get('/hooks/paid', { authorization: 'Bearer x' })
  expect([hook.status, hook.text.split(' ').slice(1, 3)]).toEqual([200, ['Bearer', 'x']])
  expect((await get('/.well-known/acme-challenge/x')).status).not.toBe(401)
  const robots = await get('/robots.txt')
  expect([robots.status, robots.text]).toEqual([200, 'User-agent: *\nDisallow: /\n'])
  const local = 'curl -s -o /dev/null -w "%{http_code}" -H "Host: shop.test" http://127.0.0.1/'
  expect(await story.onNode('one', local)).toBe('200')
  const hash = `stat -c '%U:%G %a' /etc/nginx/kraftwerk/shop.htpasswd; cat /etc/nginx/kraftwerk/shop.htpasswd`
  const before = await story.onNode('one', hash)
  expect(before).toMatch(/^root:www-data 640\nguest:\$6\$[^$]+\$\S+\n$/)

  await writeFiles(project, { 'templates/nginx/site.headers.conf.ejs': 'add_heder X-A b;\n' })
  const ran = await story.kraft(['deploy:stage'], { cwd: project, env: protection('guest') })
  await rm(join(project, 'templates'), { recursive: true })
  expect(failure(ran.stderr)).toContain('nginx refuses this configuration; the former one is back')
  expect(await story.onNode('one', 'nginx -t -q && echo fine')).toBe('fine\n')
  expect((await get('/', guest)).status).toBe(200)
  // The same password needs no other hash.
  expect(await story.onNode('one', hash)).toBe(before)
  const other = await story.must(['deploy:stage', '--dry-run'], { cwd: project, env: protection('other') })
  expect(other.stderr).toContain('another user or password')
})

test('without protection the site is public again, and destroy takes everything of it', async () => {
  const left = () => story.onNode('one', 'cd /etc/nginx; ls kraftwerk sites-enabled; ls /var/cache/nginx; nginx -t -q')
  await story.must(['deploy:stage'], { cwd: project })
  expect(await left()).toBe('kraftwerk:\nbrotli.conf\n\nsites-enabled:\nshop.conf\nshop\n')
  const { status, headers } = await get('/')
  expect([status, headers['x-robots-tag']]).toEqual([200, undefined])
  await story.must(['destroy:stage', '--yes'], { cwd: project })
  expect(await left()).toBe('kraftwerk:\nbrotli.conf\n\nsites-enabled:\n')
})
