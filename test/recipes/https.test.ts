import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { compile } from '../../engine/step/compile.js'
import { render } from '../../engine/template/render.js'
import type { Https } from '../../project/https.js'
import { certificate, https, httpsPackages } from '../../recipes/https.js'
import { type Site, site } from '../../recipes/site.js'

const place = { name: 'my-shop', home: '/web/my-shop' }
const node = { name: 'one', codename: 'bookworm', ipv6: true }
const acme: Https = {
  names: ['shop.test', 'www.shop.test'],
  hsts: 60,
  from: { kind: 'acme', directory: 'https://acme.test:14000/dir', email: "a'b@c.de", ca: 'CA' },
}
const own: Https = {
  ...acme,
  from: { kind: 'own', certificate: 'CHAIN', key: secret('the key itself', 'key'), expires: new Date() },
}

/** What a recipe puts into files on the node. */
function files(given: Https | undefined, of: Partial<typeof node> = {}): Record<string, string> {
  const steps = https(place, given, { ...node, ...of })
  return Object.fromEntries(
    steps.flatMap(({ title, files = {} }) =>
      files.content === undefined ? [] : [[title.replace('File ', ''), String(files.content)]],
    ),
  )
}

const plain: Omit<Site, 'https' | 'uploads' | 'aliases'> = {
  domain: 'shop.test',
  hosts: [],
  package: undefined,
  src: undefined,
  maxBody: 1,
  timeout: 1,
  ipv6: false,
  balancers: [],
  staticUrl: '/static/',
  cdn: undefined,
  cache: {},
  protect: undefined,
}

function siteText(given: Https | undefined): string {
  const steps = site(place, { ...plain, aliases: ['www.shop.test'], uploads: true, https: given })
  return String(steps.find(({ title }) => title.endsWith('/my-shop.conf'))?.files?.content)
}

it('HTTP/2 and what has no name are said in the words of the node’s nginx', () => {
  const server = '/etc/kraftwerk/my-shop/https/server.conf'
  const settings = '/etc/nginx/conf.d/02-kraft-https.conf'
  expect(files(acme)[server]).toContain('listen 443 ssl http2;\nlisten [::]:443 ssl http2;\nssl_certificate ')
  expect(files(acme, { codename: 'trixie', ipv6: false })[server]).toContain('listen 443 ssl;\nhttp2 on;\nssl_certificate ')
  expect(files(acme)[settings]).toContain('listen 443 ssl default_server; listen [::]:443 ssl default_server;')
  expect(files(acme, { codename: 'jammy' })[settings]).not.toContain('ssl_reject_handshake')
})

it('settings of the ACME client are quoted, and another server has another folder', () => {
  const text = files(acme)['/etc/kraftwerk/my-shop/https/acme.conf'] ?? ''
  const { stdout } = spawnSync('bash', ['-c', `${text}\nprintf '%s|' "$CA" "$CONTACT_EMAIL" "$BASEDIR" "$CURL_OPTS"`], {
    encoding: 'utf8',
  })
  expect(stdout).toBe(
    "https://acme.test:14000/dir|a'b@c.de|/etc/kraftwerk/my-shop/https/acme-acme.test|--connect-timeout 10 --max-time 60 --cacert /etc/kraftwerk/my-shop/https/ca.pem|",
  )
})

it('a site has its own times of the day, twelve hours apart, on each node others', () => {
  const times = (name: string) => {
    const text = files(acme, { name })['/etc/systemd/system/kraft-https@my-shop.timer'] ?? ''
    return [...text.matchAll(/OnCalendar=\*-\*-\* (\d\d):(\d\d:\d\d)/g)].map(([, hour, rest]) => `${Number(hour) % 12} ${rest}`)
  }
  const [first, second, ...others] = times('one')
  expect([second, others]).toEqual([first, []])
  expect(times('one')).not.toEqual(times('two'))
  expect(times('one')).toEqual(times('one'))
})

it('a site answers the challenge before any redirect, for its aliases too', () => {
  const text = siteText(acme)
  expect(text.match(/location \^~ \/\.well-known\/acme-challenge\//g)).toHaveLength(2)
  expect(text.match(/include \/etc\/kraftwerk\/my-shop\/https\/on\[\.\]conf;/g)).toHaveLength(2)
  // Once for each server, and where a location has headers of its own: static files, uploads, and what says that it is closed.
  expect(text.match(/add_header Strict-Transport-Security \$kraft_my_shop_hsts always;/g)).toHaveLength(5)
  expect(siteText({ ...acme, hsts: undefined })).not.toContain('Strict-Transport')
  expect(siteText(own)).not.toContain('location ^~ /.well-known/acme-challenge/')
  expect(siteText(undefined)).not.toMatch(/https\b.*on|443|location \^~ \/\.well-known/)
})

it('the key of a certificate of one’s own is in no script and no file but its own', () => {
  const script = compile('test', [
    ...https(place, own, node),
    ...site(place, { ...plain, aliases: [], uploads: false, https: own }),
  ])
  expect(script.text).not.toContain('the key itself')
  expect(script.secrets.map(({ value }) => value())).toEqual(['the key itself'])
})

it('only ACME needs a client and asks for a certificate', () => {
  expect([httpsPackages(acme), httpsPackages(own), httpsPackages(undefined)]).toEqual([['dehydrated'], [], []])
  expect([certificate(place, acme).length, certificate(place, own), certificate(place, undefined)]).toEqual([1, [], []])
})

it('its scripts are ones that dash can parse', () => {
  const texts = [
    String(render('https/https.sh', { sites: '/etc/kraftwerk', settings: '/etc/x' })),
    ...[acme, own, undefined].map((given) => compile('test', [...https(place, given, node), ...certificate(place, given)]).text),
  ]
  for (const input of texts) expect(spawnSync('dash', ['-n'], { input, encoding: 'utf8' }).stderr).toBe('')
})
