import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failure, writeFiles } from '../rig/cli.js'
import { type Pebble, startPebble } from '../rig/pebble.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const run = promisify(execFile)
const application = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [environ['wsgi.url_scheme'].encode()]
`
// A scheme that is not HTTPS counts as sick, so that a health check that claims another one than nginx fails the deploy.
const strict = application.replace("'200 OK'", "'200 OK' if environ['wsgi.url_scheme'] == 'https' else '426 Upgrade'")

let story: Story
let pebble: Pebble
let address = ''
beforeAll(async () => {
  story = await beginStory('httpbin')
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  pebble = await startPebble(story.env)
})
afterAll(async () => {
  await pebble?.stop()
  await story?.remove()
})

const folder = (name: string) => join(story.home, name)

async function write(name: string, https: string, code = application, aliases = [`www.${name}.test`]): Promise<void> {
  await writeFiles(folder(name), {
    'kraftwerk.yaml': `name: ${name}
domain: ${name}.test
aliases: [${aliases.join(', ')}]
wsgi: ${name}.wsgi:application
workers: 1
packages: []
https: ${https}
environments: { live: { nodes: [one] } }
`,
    [`${name}/__init__.py`]: '',
    [`${name}/wsgi.py`]: code,
  })
}

const deploy = (name: string, ...words: string[]) => story.kraft(['deploy:live', '--json', ...words], { cwd: folder(name) })
// It ends with code 1 where a certificate needs a hand.
const status = async (name: string) => (await story.kraft(['status:live'], { cwd: folder(name) })).stdout

/** What a visitor gets: code, version of HTTP, where it sends to, HSTS, body; for TLS that fails the message. */
async function visit(url: string, ...words: string[]): Promise<string> {
  const { hostname } = new URL(url)
  const format = '|%{http_code} %{http_version} %{redirect_url} %header{strict-transport-security}'
  const resolve = [80, 443].flatMap((port) => ['--resolve', `${hostname}:${port}:${address}`])
  return run('curl', ['-sS', '--max-time', '10', '-w', format, ...resolve, ...words, url]).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error instanceof Error && 'stderr' in error ? error.stderr : error),
  )
}

/** The same, once nginx has taken up what is new: a reload returns before that. */
const served = (url: string, answer: RegExp, ...words: string[]) =>
  expect.poll(() => visit(url, ...words), { timeout: 60_000 }).toMatch(answer)

test('a domain that does not lead here yet fails no deploy: HTTP serves, and the node says why and tries again', async () => {
  await write('shop', `{ ${pebble.settings}, email: ada@example.com, hsts: 3600 }`)
  await pebble.point('shop.test', address)
  const plan = await deploy('shop', '--dry-run')
  expect(plan.code, plan.stderr).toBe(0)
  expect(plan.stderr).toContain(`ask ${pebble.directory} for a certificate`)

  const ran = await deploy('shop')
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stderr).toMatch(/No certificate for shop\.test www\.shop\.test: .*www\.shop\.test/)
  expect(ran.stderr).toMatch(
    /The node tries again at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; at once: systemctl start kraft-https@shop/,
  )
  expect(JSON.parse(ran.stdout).urls).toEqual(['http://shop.test/'])
  expect(await visit('http://shop.test/')).toMatch(/^http\|200 1.1 {2}$/)
  expect(await visit('https://shop.test/', '-k')).toContain('unrecognized name')
})

test('once it leads here the timer brings HTTPS without a deploy', async () => {
  expect(await status('shop')).toMatch(/^one: release \S+, no certificate yet \(why: journalctl -u kraft-https@shop\)$/m)
  await pebble.point('www.shop.test', address)
  const timer = 'kraft-https@shop.timer'
  const tries = await story.onNode('one', `systemctl show -p TimersMonotonic ${timer} | grep -o 'OnActiveUSec=[^;]*'`)
  expect(tries.match(/(?<==)\S+/g)?.toSorted()).toEqual(['1h', '20min', '3h', '5min', '8h'])
  // The timer itself, with less patience.
  const own = `/etc/systemd/system/${timer}.d`
  await story.onNode(
    'one',
    `mkdir ${own}; printf '[Timer]\\nOnActiveSec=2s\\n' >${own}/soon.conf; systemctl daemon-reload; systemctl restart ${timer}`,
  )
  const trusted = ['--cacert', pebble.root]
  await served('https://shop.test/', /^https\|200 2 {2}max-age=3600$/, ...trusted)
  // nginx' former processes may take one more connection while it is reloaded.
  await served('http://shop.test/a?b=c', /\|301 1\.1 https:\/\/shop\.test\/a\?b=c $/)
  expect(await visit('http://www.shop.test/a')).toMatch(/\|301 1\.1 https:\/\/shop\.test\/a $/)
  expect(await visit('https://www.shop.test/a', ...trusted)).toMatch(/\|301 2 https:\/\/shop\.test\/a max-age=3600$/)
  expect(await visit('http://www.shop.test/.well-known/acme-challenge/none')).toMatch(/\|404 1\.1 {2}$/)
  expect(await visit('https://shop.test/', ...trusted, '--tls-max', '1.1')).toMatch(/curl: \(35\)/)
  expect(await visit('https://elsewhere.test/', '-k')).toContain('unrecognized name')
  const open =
    "find /etc/kraftwerk/shop/https /web/shop/challenge -type f -name '*.pem' ! -name ca.pem ! -perm 0600; stat -c %U:%a /etc/kraftwerk/shop/https"
  expect(await story.onNode('one', open)).toBe('root:700\n')
})

test('a renewal is taken up, and the next deploy finds nothing to ask for', async () => {
  const serial = async () => {
    const look =
      'openssl s_client -connect 127.0.0.1:443 -servername shop.test </dev/null 2>/dev/null | openssl x509 -noout -serial'
    return story.onNode('one', look)
  }
  const before = await serial()
  await story.onNode('one', '/etc/kraftwerk/.https renew shop --force')
  await expect.poll(serial, { timeout: 20_000 }).not.toBe(before)
  const renewed = await serial()
  await write('shop', `{ ${pebble.settings}, email: ada@example.com, hsts: 3600 }`, strict)
  const ran = await deploy('shop')
  expect(ran.code, ran.stderr).toBe(0)
  expect(JSON.parse(ran.stdout).urls).toEqual(['https://shop.test/'])
  expect(await serial()).toBe(renewed)
})

test('a name that comes later gets into the certificate once it leads here, and HTTPS goes on as it was until then', async () => {
  const names = async () =>
    (
      await story.onNode(
        'one',
        'openssl s_client -connect 127.0.0.1:443 -servername shop.test </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName',
      )
    )
      .match(/(?<=DNS:)[^,\s]+/g)
      ?.toSorted()
  const https = `{ ${pebble.settings}, email: ada@example.com, hsts: 3600 }`
  await write('shop', https, strict, ['www.shop.test', 'more.shop.test'])
  const early = await deploy('shop')
  expect([early.code, early.stderr]).toEqual([
    0,
    expect.stringMatching(/No certificate for shop\.test www\.shop\.test more\.shop\.test/),
  ])
  expect(await names()).toEqual(['shop.test', 'www.shop.test'])
  await served('https://shop.test/', /^https\|200 /, '--cacert', pebble.root)
  await pebble.point('more.shop.test', address)
  expect((await deploy('shop')).code).toBe(0)
  await expect.poll(names, { timeout: 20_000 }).toEqual(['more.shop.test', 'shop.test', 'www.shop.test'])
  const { stdout } = await story.must(['status:live', '--json'], { cwd: folder('shop') })
  expect(JSON.parse(stdout).nodes[0].certificate).toEqual({ until: expect.stringMatching(/^2\d{3}-/), days: expect.any(Number) })
})

test('a certificate that ends while the server is down goes on serving, and is renewed by itself once the server is back', async () => {
  const server = (does: 'answers' | 'refuses') =>
    story.onNode(
      'one',
      does === 'answers'
        ? 'nft delete table inet down'
        : `nft -f - <<'END'
table inet down { chain out { type filter hook output priority 0; tcp dport 14000 reject with tcp reset; }; }
END`,
    )
  // In place of the one that is there, as if it had been got long ago.
  const ending = (days: number) => {
    const end = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')
    return story.onNode(
      'one',
      `cd "$(mktemp -d)"; site=$(echo /etc/kraftwerk/shop/https/acme-*/certs/site)
      printf '%s\\n' '[ca]' default_ca=own '[own]' database=db new_certs_dir=. rand_serial=yes default_md=sha256 policy=any copy_extensions=copy '[any]' commonName=supplied >settings
      : >db
      names=$(sed 's/ /,DNS:/g; s/^/DNS:/' /etc/kraftwerk/shop/https/names)
      openssl req -new -key "$site/privkey.pem" -subj /CN=shop.test -addext "subjectAltName=$names" -out request
      openssl ca -config settings -selfsign -batch -notext -keyfile "$site/privkey.pem" -in request -startdate 20200101000000Z -enddate ${end} -out new.pem 2>/dev/null
      cat new.pem >"$site/cert.pem"; cat new.pem >"$site/fullchain.pem"; nginx -s reload`,
    )
  }
  const trusted = ['--cacert', pebble.root]
  const before = (await status('shop')).match(/certificate for .*/)?.[0]
  await server('refuses')
  await ending(10.5)
  const ran = await deploy('shop')
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringMatching(/No certificate for shop\.test .*:.* connect/)])
  // The timer, which tries soon after a deploy.
  await expect.poll(() => story.onNode('one', 'systemctl is-failed kraft-https@shop || :'), { timeout: 60_000 }).toBe('failed\n')
  await served('https://shop.test/', /^https\|200 /, '-k')
  expect(await status('shop')).toContain(
    ', certificate for 10 more days, and was not renewed (why: journalctl -u kraft-https@shop)\n',
  )
  await ending(-1.5)
  await served('https://shop.test/', /certificate has expired|self-signed/, ...trusted)
  expect(await visit('https://shop.test/', '-k')).toMatch(/^https\|200 /)
  expect(await status('shop')).toContain(', certificate has EXPIRED, and was not renewed')
  await server('answers')
  await story.onNode('one', 'systemctl restart kraft-https@shop.timer')
  await served('https://shop.test/', /^https\|200 /, ...trusted)
  expect(await status('shop')).toContain(before)
})

test('a certificate of one’s own is checked before anything, and one that is gone harms no other site', async () => {
  const make = (name: string) =>
    story.bash(
      `openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=${name} -addext 'subjectAltName=DNS:${name}.test,DNS:www.${name}.test' \
        -days 90 -keyout ${name}.key -out ${name}.pem`,
      { cwd: folder('own') },
    )
  await write('own', '{ certificate: own.pem, key: strange.key }')
  await make('strange')
  await make('own')
  const refused = await deploy('own')
  expect(refused.code).toBe(2)
  expect(failure(refused.stderr)).toContain('kraftwerk.yaml:7:23: strange.key is the key of another certificate than own.pem')
  expect(await story.onNode('one', 'ls /etc/kraftwerk')).toBe('shop\n')

  await write('own', '{ certificate: own.pem, key: own.key }')
  const ran = await deploy('own')
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stderr + ran.stdout).not.toContain('PRIVATE KEY')
  expect(JSON.parse(ran.stdout).urls).toEqual(['https://own.test/'])
  await served('https://own.test/', /^https\|200 2/, '--cacert', join(folder('own'), 'own.pem'))
  expect(await status('own')).toMatch(/^one: release \S+, certificate for (89|90) more days$/m)

  await story.onNode('one', 'rm /etc/kraftwerk/own/https/certificate.pem; systemctl restart nginx')
  await served('http://own.test/', /^http\|200/)
  expect(await visit('https://shop.test/', '--cacert', pebble.root)).toMatch(/^https\|200/)
  expect(await status('own')).toContain(', no certificate that nginx can use (the next deploy puts your own there again)\n')
  const again = await deploy('own')
  expect(JSON.parse(again.stdout).urls).toEqual(['https://own.test/'])
  await served('http://own.test/', /\|301/)
  await story.onNode('one', 'echo broken >/etc/kraftwerk/own/https/key.pem; /etc/kraftwerk/.https renew shop --force')
  await served('http://own.test/', /^http\|200/)
  expect(await visit('https://shop.test/', '--cacert', pebble.root)).toMatch(/^https\|200/)
})

test('https: false takes TLS away again, and destroy all that was left', async () => {
  await write('shop', 'false')
  const ran = await deploy('shop')
  expect(ran.code, ran.stderr).toBe(0)
  expect(JSON.parse(ran.stdout).urls).toEqual(['http://shop.test/'])
  await served('http://shop.test/', /^http\|200/)
  expect(await visit('https://shop.test/', '-k')).toContain('unrecognized name')
  await story.must(['destroy:live', '--yes'], { cwd: folder('own') })
  const left = 'ls -d /etc/kraftwerk/*/https /web/*/challenge /etc/systemd/system/kraft-https@*.timer 2>/dev/null || echo nothing'
  expect(await story.onNode('one', left)).toBe('nothing\n')
})
