import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { compile } from '../../engine/step/compile.js'
import { useTemplates } from '../../engine/template/find.js'
import { type Site, site } from '../../recipes/site.js'

const place = { name: 'shop-stage', home: '/web/shop-stage' }
const plain: Site = {
  domain: 'shop.example.com',
  hosts: ['shop.example.com'],
  aliases: [],
  package: 'shop',
  src: undefined,
  uploads: false,
  maxBody: 1,
  timeout: 30,
  ipv6: false,
  balancers: [],
  staticUrl: '/static/',
  cdn: undefined,
  cache: {},
  protect: undefined,
  https: undefined,
}

/** The site's configuration. */
function configuration(given: Partial<Site>): string {
  const file = site(place, { ...plain, ...given }).find(({ title }) => title.endsWith('/shop-stage.conf'))
  return String(file?.files?.content)
}
const titles = (given: Partial<Site>) => site(place, { ...plain, ...given }).map(({ title }) => title)

describe('the site', () => {
  it('has nothing of what is not asked for', () => {
    const text = configuration({})
    for (const word of [
      'proxy_cache',
      'auth_basic_user_file',
      'noindex',
      'Access-Control',
      '/uploads/',
      'undefined',
      '[object',
    ]) {
      expect(text).not.toContain(word)
    }
    expect(titles({})).toEqual([
      'File /etc/nginx/sites-enabled/shop-stage.conf',
      'No /etc/nginx/kraftwerk/shop-stage.htpasswd',
      'No /var/cache/nginx/shop-stage',
    ])
  })

  it('sends aliases to the domain, which its own log tells too, and a project can have another way for it', () => {
    const aliases = ['www.shop.example.com', 'shop.example.org']
    const text = configuration({ aliases })
    for (const alias of aliases) expect(text).toContain(`\n  server_name ${alias};\n`)
    expect(text.match(/return 301 \$scheme:\/\/shop\.example\.com\$request_uri;/g)).toHaveLength(2)
    expect(text.match(/access_log \/web\/shop-stage\/log\/nginx\.access kraft-shop-stage;/g)).toHaveLength(3)
    expect(configuration({})).not.toContain('return 301')

    const own = mkdtempSync(join(tmpdir(), 'kraft-templates-'))
    mkdirSync(join(own, 'nginx'))
    writeFileSync(join(own, 'nginx/site.alias.conf.ejs'), '# <%= aliases.length %> elsewhere\n')
    useTemplates([own])
    const overridden = configuration({ aliases })
    useTemplates([])
    rmSync(own, { recursive: true })
    expect(overridden).toContain('# 2 elsewhere\nserver {')
    expect(overridden).not.toContain('return 301')
  })

  it('serves static files where the project says, and those of its package from its folder', () => {
    const text = configuration({ staticUrl: '/assets/v1.2/', src: 'src', cdn: 'cdn.example.com' })
    expect(text).toContain('location ~ "^/assets/v1\\.2/(?<kraft_shop_stage_file>.+)$" {')
    expect(text).toContain('/shop/static/$kraft_shop_stage_file\n')
    expect(text).toContain('/$kraft_shop_stage_former/5/src/shop/static/$kraft_shop_stage_file\n')
    expect(text).toContain('add_header Access-Control-Allow-Origin *;')
    expect(configuration({ package: undefined })).not.toContain('/static/static')
  })

  it('tries the longest path of a rule first, and takes only those below it for static files', () => {
    const text = configuration({
      cache: {
        '/': { nginx: 60 },
        '/news/': { browser: 'none' },
        '/static/dist/': { browser: 'immutable' },
        '/static': { browser: 5 },
      },
    })
    expect([...text.matchAll(/location ~ "(.*)" \{/g)].map(([, pattern]) => pattern).slice(-5)).toEqual([
      '^/static/(?<kraft_shop_stage_file>.+)$',
      '^/static/dist/',
      '^/static(/|$)',
      '^/news/',
      '^/',
    ])
    const keep = text.slice(text.indexOf('$kraft_shop_stage_keep {'), text.indexOf('}'))
    expect(text).toContain(
      '  "~^/static/dist/" "public, max-age=31536000, immutable";\n  "~^/static(/|$)" "public, max-age=5";\n',
    )
    expect(keep).not.toContain('/news/')
    // Kept longer than any answer is fresh.
    expect(text).toContain('keys_zone=shop-stage.b:2m max_size=128m inactive=660s')
  })

  it('keeps the password out of its configuration and of the scripts', () => {
    const login = { user: 'guest', password: { value: secret('come-in-please'), hashed: false } }
    const given = { ...plain, protect: { login, noindex: true, except: ['/hooks/'], allow: ['2001:db8::/32'] } }
    const text = configuration(given)
    expect(text).toContain('  2001:db8::/32 1;')
    expect(text).toContain('  "~^0/hooks/" off;')
    const places = text.match(/^ *add_header X-Robots-Tag/gm)
    // The server's own, static files, and the page of a closed site.
    expect(places).toHaveLength(3)
    expect(compile('Site', site(place, given)).text).not.toContain('come-in-please')
    expect(titles(given)[1]).toBe('Password of shop-stage')
  })

  it('of the longest name has variables that nginx can hold', () => {
    const name = 'a'.repeat(26)
    const steps = site({ name, home: `/web/${name}` }, { ...plain, cache: { '/': { browser: 1 } }, protect: undefined })
    const variables = String(steps[0]?.files?.content).match(/\$kraft_\w+/g) ?? []
    // Of a bucket of 64 bytes 18 are nginx's own.
    expect(variables.length).toBeGreaterThan(0)
    expect(Math.max(...variables.map((each) => each.length - 1))).toBeLessThanOrEqual(46)
  })
})
