import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeFiles } from '../rig/cli.js'
import { flawless, underLoad } from '../rig/load-client.js'
import { type Pebble, startPebble } from '../rig/pebble.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const run = promisify(execFile)
const application = `import os
def application(environ, start_response):
    path = environ['PATH_INFO']
    headers = [('Content-Type', 'text/plain')]
    if path == '/login' and environ['wsgi.url_scheme'] == 'https':
        headers.append(('Set-Cookie', 'session=1; Secure'))
    start_response('200 OK', headers)
    if path == '/visitor':
        seen = [environ['wsgi.url_scheme'], environ['HTTP_X_REAL_IP'], environ['HTTP_X_FORWARDED_FOR'], environ['HTTP_HOST']]
        return [' '.join(seen).encode()]
    return [os.environ['KRAFT_RELEASE'].encode()]
`

let story: Story
let pebble: Pebble
let front = ''
let left = ''
beforeAll(async () => {
  story = await beginStory('httpbin')
  await provisionPrepared(story, ['left', 'right', 'front'])
  front = await story.address('front')
  left = await story.address('left')
  pebble = await startPebble(story.env)
})
afterAll(async () => {
  await pebble?.stop()
  await story?.remove()
})

const folder = (name: string) => join(story.home, name)

async function write(name: string, https: string, more = ''): Promise<void> {
  await writeFiles(folder(name), {
    'kraftwerk.yaml': `name: ${name}
domain: ${name}.test
aliases: [www.${name}.test]
wsgi: ${name}.wsgi:application
workers: 1
packages: []
https: ${https}
${more}
environments: { live: { nodes: { web: [left, right], balancer: [front] } } }
`,
    [`${name}/__init__.py`]: '',
    [`${name}/static/app.3f2a9c81d0e4.css`]: 'body { color: #333 }',
    [`${name}/wsgi.py`]: application,
  })
}

async function deploy(name: string) {
  const ran = await story.kraft(['deploy:live', '--json'], { cwd: folder(name) })
  expect(ran.code, ran.stderr).toBe(0)
  return { ...ran, urls: JSON.parse(ran.stdout).urls }
}

/** What a visitor gets: body, code, where it sends to, headers that count; for TLS that fails the message. */
async function visit(url: string, ...words: string[]): Promise<string> {
  const { hostname } = new URL(url)
  const headers = ['strict-transport-security', 'cache-control', 'set-cookie', 'retry-after'].map((name) => `%header{${name}}`)
  const resolve = [80, 443].flatMap((port) => ['--resolve', `${hostname}:${port}:${front}`])
  const format = `|%{http_code} %{http_version} %{redirect_url}|${headers.join('|')}`
  return run('curl', [
    '-sS',
    '--noproxy',
    '*',
    '--max-time',
    '10',
    '--cacert',
    pebble.root,
    '-w',
    format,
    ...resolve,
    ...words,
    url,
  ]).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error instanceof Error && 'stderr' in error ? error.stderr : error),
  )
}
const served = (url: string, answer: RegExp, ...words: string[]) =>
  expect.poll(() => visit(url, ...words), { timeout: 20_000 }).toMatch(answer)
const acme = () => `{ ${pebble.settings}, hsts: 3600 }`

test('the balancer asks for the certificate; until it has one HTTP serves, and no deploy fails', async () => {
  await pebble.point('shop.test', front)
  await write('shop', acme(), 'protect: { user: ada, password: lovelace, except: [/visitor, /login, /static] }')
  const ran = await deploy('shop')
  expect(ran.stderr).toMatch(/No certificate for shop\.test www\.shop\.test: .*www\.shop\.test/)
  expect(ran.urls).toEqual(['http://shop.test/'])
  expect(await visit('http://shop.test/visitor')).toMatch(/^http [\d.]+ [\d.]+ shop\.test\|200/)

  await pebble.point('www.shop.test', front)
  const again = await deploy('shop')
  expect(again.urls).toEqual(['https://shop.test/'])
  const where = (await story.kraft(['open:live', '--json'], { cwd: folder('shop') })).stdout
  expect(JSON.parse(where).urls).toEqual(['https://shop.test/'])
  // TLS is nowhere but on the balancer.
  expect(await story.onNode('left', 'ls -d /etc/kraftwerk/shop/https /web/shop/challenge 2>/dev/null || echo nothing')).toBe(
    'nothing\n',
  )
  expect(await story.onNode('front', 'stat -c %U:%G:%a /etc/kraftwerk/shop/https /web/shop/challenge; ls /web/shop')).toBe(
    'root:root:700\nroot:www-data:750\nchallenge\n',
  )
})

test('the application sees HTTPS and who the visitor is, and nobody but the balancer is believed', async () => {
  const spoofed = ['-H', 'X-Forwarded-For: 192.0.2.7', '-H', 'X-Forwarded-Proto: http']
  await served('https://shop.test/visitor', /^https (10\.[\d.]+) 192\.0\.2\.7, \1 shop\.test\|200 2 \|max-age=3600\|/, ...spoofed)
  expect(await visit('https://shop.test/login')).toContain('|session=1; Secure|')
  const direct = ['-H', 'X-Forwarded-Proto: https', '-H', 'X-Forwarded-For: 192.0.2.7', '--resolve', `shop.test:80:${left}`]
  expect(await visit('http://shop.test/visitor', ...direct)).toMatch(/^http 10\./)
})

test('HTTP and aliases are sent to the domain over HTTPS in one go, but for the challenge', async () => {
  expect(await visit('http://shop.test/a?b=c')).toMatch(/\|301 1\.1 https:\/\/shop\.test\/a\?b=c\|/)
  expect(await visit('http://www.shop.test/a')).toMatch(/\|301 1\.1 https:\/\/shop\.test\/a\|/)
  expect(await visit('https://www.shop.test/a')).toMatch(/\|301 2 https:\/\/shop\.test\/a\|max-age=3600/)
  expect(await visit('http://www.shop.test/.well-known/acme-challenge/none')).toMatch(/\|404 1\.1 \|/)
})

test('password, static files and maintenance are as they are without a balancer', async () => {
  expect(await visit('https://shop.test/')).toContain('|401 2 |max-age=3600|')
  expect(await visit('https://shop.test/', '-u', 'ada:lovelace')).toMatch(/^\d{8}-\d{6}\|200 2/)
  expect(await visit('https://shop.test/static/app.3f2a9c81d0e4.css')).toContain('|public, max-age=31536000, immutable|')
  const closed = await story.must(['maintenance:live', 'on', '--json'], { cwd: folder('shop') })
  const [bypass = ''] = JSON.parse(closed.stdout).bypass
  expect(bypass).toMatch(/^https:\/\/shop\.test\//)
  expect(await visit('https://shop.test/visitor')).toMatch(/\|503 2 \|max-age=3600\|no-store\|\|\d+$/)
  expect(await visit(bypass, '-L', '-c', '/dev/null', '-u', 'ada:lovelace')).toMatch(/^\d{8}-\d{6}\|200 2/)
  await story.must(['maintenance:live', 'off'], { cwd: folder('shop') })
})

const site = async () => ({ address: front, host: 'shop.test', ca: await readFile(pebble.root, 'utf8') })
const asked = { quick: '/', slow: '/' }

test('a deploy costs no request over HTTPS', async () => {
  await write('shop', acme())
  await deploy('shop')
  const { result, reports } = await underLoad(await site(), () => deploy('shop'), asked)
  flawless(reports, { fresh: 50, kept: 50, slow: 20 })
  expect(result.urls).toEqual(['https://shop.test/'])
})

test('a renewal in the midst of a deploy costs no request but what is under way to a connection as nginx closes it', async () => {
  const look = () =>
    story.onNode(
      'front',
      'openssl s_client -connect 127.0.0.1:443 -servername shop.test </dev/null 2>/dev/null | openssl x509 -noout -serial',
    )
  const before = await look()
  const { result, reports } = await underLoad(
    await site(),
    async () => {
      const [ran] = await Promise.all([deploy('shop'), story.onNode('front', '/etc/kraftwerk/.https renew shop --force')])
      return ran
    },
    asked,
  )
  const { kept, ...others } = reports
  flawless(others, { fresh: 50, slow: 20 })
  expect(result.urls).toEqual(['https://shop.test/'])
  await expect.poll(look, { timeout: 20_000 }).not.toBe(before)
  // Two connections are kept, and a renewal reloads nginx once: docs/https.md says what such a client does.
  const { '/: ECONNRESET': reset = 0, '/: EPIPE': broken = 0, ...failures } = kept.failures
  expect([failures, reset + broken <= 2, kept.samples.length >= 50], JSON.stringify(kept.failures)).toEqual([{}, true, true])
})

test('a certificate of one’s own lies on the balancer alone, and a project without any harms nobody there', async () => {
  await write('own', '{ certificate: ../own.pem, key: own.key }')
  await story.bash(
    `openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=own -addext 'subjectAltName=DNS:own.test,DNS:www.own.test' \
      -days 90 -keyout own/own.key -out own.pem`,
    { cwd: story.home },
  )
  expect((await deploy('own')).urls).toEqual(['https://own.test/'])
  const trusted = ['--cacert', join(story.home, 'own.pem')]
  await served('https://own.test/visitor', /^https 10\.\S+ \S+ own\.test\|200 2/, ...trusted)
  expect(await story.onNode('front', 'stat -c %U:%a /etc/kraftwerk/own/https/key.pem')).toBe('root:600\n')
  expect(await story.onNode('left', 'grep -rl "PRIVATE KEY" /etc/kraftwerk /web/own || echo nowhere')).toBe('nowhere\n')

  await story.onNode('front', 'rm /etc/kraftwerk/own/https/certificate.pem; systemctl restart nginx')
  await served('http://own.test/visitor', /^http 10\./)
  await served('https://shop.test/visitor', /^https 10\./)
})

test('false takes TLS away again, and destroy all that was left', async () => {
  await write('shop', 'false')
  expect((await deploy('shop')).urls).toEqual(['http://shop.test/'])
  await served('http://shop.test/visitor', /^http 10\./)
  for (const name of ['own', 'shop']) await story.must(['destroy:live', '--yes'], { cwd: folder(name) })
  const left =
    'ls -d /etc/kraftwerk/own /etc/kraftwerk/shop /web/own /web/shop /etc/systemd/system/kraft-https@*.timer 2>/dev/null || echo nothing'
  expect(await story.onNode('front', left)).toBe('nothing\n')
})
