import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { reveal } from '../../engine/shell/secret.js'
import { endsSoon, readHttps } from '../../project/https.js'
import { instanceOf } from '../../project/instance.js'
import { instanceSettings, loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()

async function read(https: string, more = 'domain: shop.test', environment?: string) {
  await home.write('calculator/kraftwerk.yaml', `${more}\nhttps: ${https}\nenvironments: { live: { https: { hsts: 60 } } }\n`)
  const project = await loadProject(home.project, { services: [], vaults: [] })
  if (project === undefined) throw new TypeError('There should be a project')
  return readHttps(instanceOf(project, environment))
}

const wrong = (https: string, more?: string, environment?: string) => settingError(read(https, more, environment))

/** Makes `NAME.pem` and `NAME.key` in the project. */
function make(name: string, { names = 'DNS:shop.test', days = '90' } = {}): void {
  const paths = [join(home.project, `${name}.key`), join(home.project, `${name}.pem`)] as const
  const key = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', paths[0]]
  execFileSync('openssl', key, { stdio: 'ignore' })
  const request = ['req', '-new', '-x509', '-key', paths[0], '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`]
  execFileSync('openssl', [...request, '-out', paths[1]], { stdio: 'ignore' })
  // Only this command takes days that are over.
  execFileSync('openssl', ['x509', '-in', paths[1], '-signkey', paths[0], '-days', days, '-out', paths[1]], { stdio: 'ignore' })
}

describe('https', () => {
  it('is Let’s Encrypt for the domain and its aliases with auto, and nothing with false', async () => {
    expect(await read('auto', 'domain: shop.test\naliases: [www.shop.test]')).toEqual({
      names: ['shop.test', 'www.shop.test'],
      hsts: undefined,
      from: { kind: 'acme', directory: 'https://acme-v02.api.letsencrypt.org/directory', email: undefined, ca: undefined },
    })
    expect(await read('false')).toBeUndefined()
  })

  it.each([
    ['yes', '2:8', '"https" should be auto, false, or a map with certificate and key, not "yes"'],
    ['true', '2:8', '"https" should be auto, false, or a map with certificate and key, not true'],
    ['{ emial: a@b.c }', '2:10', 'Did you mean "email"?'],
    ['{ email: nobody }', '2:17', '"https.email" should be an address'],
    ['{ hsts: 1.5 }', '2:16', '"https.hsts" should be whole seconds'],
    ['{ hsts: -1 }', '2:16', '"https.hsts" should be at least 0'],
    ['{ directory: "http://acme.test" }', '2:21', '"https.directory" should be the address of an ACME directory'],
    ['{ directory: "https://a.test/\'$(id)\'" }', '2:21', '"https.directory" should be the address of an ACME directory'],
    ['{ certificate: a.pem }', '2:8', 'A certificate needs its key'],
    ['{ certificate: a.pem, key: a.key, email: a@b.c }', '2:8', 'leave out email, directory and ca'],
    ['{ certificate: a.pem, key: a.key }', '2:23', 'a.pem does not exist'],
    ['{ ca: kraftwerk.yaml }', '2:14', 'This file holds no certificate that can be read'],
  ])('refuses %s', async (text, at, message) => {
    const error = await wrong(text)
    expect(error.message).toContain(message)
    expect(error.at).toBe(at)
  })

  it('needs a domain', async () => {
    expect(await wrong('auto', 'workers: 1')).toMatchObject({ at: '2:8', message: expect.stringContaining('needs a domain') })
  })

  it('of an environment adds to that of the project, and a mistake in it has its place', async () => {
    await home.write('calculator/kraftwerk.yaml', '')
    expect((await read('{ email: a@b.c }', 'domain: shop.test', 'live'))?.hsts).toBe(60)
    expect(await wrong('auto', 'workers: 1', 'live')).toMatchObject({ at: '3:32' })
    await home.write(
      'calculator/kraftwerk.yaml',
      'https: { email: a@b.c, hsts: 9 }\nenvironments: { a: { https: { certificate: c, key: k } }, b: { https: false }, c: { https: auto } }',
    )
    const project = await loadProject(home.project, { services: [], vaults: [] })
    if (project === undefined) throw new TypeError('There should be a project')
    expect(instanceSettings(project, 'a').https).toEqual({ hsts: 9, certificate: 'c', key: 'k' })
    expect(instanceSettings(project, 'b').https).toEqual({ off: true })
    expect(instanceSettings(project, 'c').https).toEqual({ auto: true })
  })
})

describe('a certificate of one’s own', () => {
  const own = '{ certificate: own.pem, key: own.key }'

  it('is read with its key as a secret', async () => {
    await read('false')
    make('own')
    const found = await read(own)
    if (found?.from.kind !== 'own') throw new TypeError('It should be our own')
    expect(found.from.certificate).toContain('BEGIN CERTIFICATE')
    expect(reveal(found.from.key)).toContain('PRIVATE KEY')
    expect(JSON.stringify(found)).not.toContain('PRIVATE KEY')
    expect(endsSoon(found)).toEqual([])
  })

  it('is told when it ends within a month', async () => {
    await read('false')
    make('own', { days: '9' })
    expect(endsSoon(await read(own))[0]).toMatch(/^The certificate of shop\.test expires on \d{4}-\d\d-\d\d$/)
  })

  it('is refused with a key of another', async () => {
    await read('false')
    make('own')
    make('other')
    const { message, at } = await wrong('{ certificate: own.pem, key: other.key }')
    expect([at, message]).toEqual(['2:23', 'other.key is the key of another certificate than own.pem'])
  })

  it('is refused where a name is missing, also with a star that is too short', async () => {
    await read('false')
    make('own', { names: 'DNS:shop.test,DNS:*.shop.test' })
    expect(await read(own, 'domain: shop.test\naliases: [www.shop.test]')).toBeDefined()
    const { message } = await wrong(own, 'domain: shop.test\naliases: [a.b.shop.test]')
    expect(message).toBe('own.pem does not cover a.b.shop.test, only shop.test, *.shop.test')
  })

  it('is refused once it has expired', async () => {
    await read('false')
    make('own', { days: '-1' })
    expect((await wrong(own)).message).toMatch(/own\.pem expired on \d{4}-/)
  })

  it.each([
    ['own.key', 'nothing', 'This file holds no private key that can be read'],
    [
      'own.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'This file holds no certificate that can be read',
    ],
  ])('is refused where %s holds %s', async (file, text, message) => {
    await read('false')
    make('own')
    await home.write(`calculator/${file}`, text)
    expect((await wrong(own)).message).toBe(message)
  })

  it('is refused where its key has a passphrase, which nobody could type', async () => {
    await read('false')
    make('own')
    const [from, to] = ['own.key', 'locked.key'].map((name) => join(home.project, name)) as [string, string]
    execFileSync('openssl', ['pkey', '-in', from, '-aes256', '-passout', 'pass:hush', '-out', to], { stdio: 'ignore' })
    expect(await wrong('{ certificate: own.pem, key: locked.key }')).toMatchObject({
      message: expect.stringContaining('passphrase'),
      next: expect.stringContaining('openssl pkey'),
    })
  })
})
