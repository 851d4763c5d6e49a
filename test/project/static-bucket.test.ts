import { describe, expect, it } from 'vitest'
import { reveal, type Secret } from '../../engine/shell/secret.js'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { readStaticBucket, staticAddress } from '../../project/static-bucket.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()
const full = 'bucket: shop-static, access_key: AKIA1, secret_key: hush-hush'

async function load(text: string) {
  await home.write('calculator/kraftwerk.yaml', text)
  return loadProject(home.project, { services: [], vaults: ['op'] })
}

async function instance(text: string, environment?: string) {
  const project = await load(text)
  if (project === undefined) throw new TypeError('There should be a project')
  return instanceOf(project, environment)
}
const plan = async (text: string, environment?: string) => readStaticBucket(await instance(text, environment))

describe('static_bucket', () => {
  it('needs a bucket and keys, and the rest has defaults', async () => {
    const found = await plan(`cdn: cdn.test\nstatic_bucket: { ${full} }`)
    expect(JSON.stringify(found)).not.toContain('hush-hush')
    expect(reveal(found?.secretKey as Secret)).toBe('hush-hush')
    expect(found).toMatchObject({
      endpoint: undefined,
      region: 'us-east-1',
      bucket: 'shop-static',
      folder: 'calculator/-',
      public: false,
      prune: 90,
    })
    expect(await plan('cdn: cdn.test')).toBeUndefined()
  })

  it('stage and live that share all of it have folders of their own, which stand in the address', async () => {
    const text = `cdn: cdn.test
static_url: /assets/
static_bucket: { ${full}, prefix: /sites/, public: true, prune: 7 }
environments:
  stage: { static_bucket: false }
  live: { static_bucket: { secret_key: { op: op://a/b }, prune: false } }
  own: { cdn: own.test }
`
    expect(await plan(text, 'stage')).toBeUndefined()
    expect(await plan(text, 'live')).toMatchObject({
      folder: 'sites/calculator/live',
      secretKey: { vault: 'op', reference: 'op://a/b' },
      public: true,
      prune: undefined,
    })
    expect((await plan(text, 'own'))?.prune).toBe(7)
    const addresses = ['stage', 'live', 'own'].map(async (name) => staticAddress(await instance(text, name)))
    expect(await Promise.all(addresses)).toEqual([
      'https://cdn.test/assets/',
      'https://cdn.test/sites/calculator/live/assets/',
      'https://own.test/sites/calculator/own/assets/',
    ])
    expect(staticAddress(await instance('wsgi: a:b'))).toBe('/static/')
  })

  it('says where and what is missing', async () => {
    const text = 'cdn: cdn.test\nstatic_bucket: { bucket: abc }\nenvironments: { live: { static_bucket: { access_key: A1 } } }\n'
    expect(await settingError(plan(text))).toMatchObject({
      at: '2:1',
      message: expect.stringContaining('"static_bucket" lacks access_key, secret_key'),
    })
    expect(await settingError(plan(text, 'live'))).toMatchObject({
      at: '3:25',
      message: expect.stringContaining('"static_bucket" lacks secret_key'),
    })
    expect(await settingError(plan(`static_bucket: { ${full} }`))).toMatchObject({
      at: '1:1',
      message: expect.stringContaining('"static_bucket" needs "cdn": no page would name what is in the bucket'),
    })
  })

  it('never goes where backups are, which a CDN would hand out', async () => {
    const text = `cdn: cdn.test\nbackup: { ${full}, endpoint: "https://one.test" }\nstatic_bucket: { ${full}`
    expect(await settingError(plan(`${text}, endpoint: "https://one.test/" }`))).toMatchObject({
      at: '3:1',
      message: expect.stringContaining('"static_bucket" is the bucket of "backup"'),
    })
    expect(await plan(`${text} }`)).toMatchObject({ bucket: 'shop-static' })
  })

  it.each([
    ['{ endpoint: s3.example.com }', 'the address of an S3 alone'],
    ['{ bucket: Shop_Static }', 'the name of a bucket'],
    ['{ prefix: a/../b }', 'a folder with no ".." in it'],
    ['{ secret_key: "hush-hush with blanks" }', 'one word of text'],
    ['{ secret_key: { pass: hush-hush } }', 'and not a map'],
    ['{ prune: never }', 'a number of days, or false for never'],
    ['{ prune: 0 }', 'at least 1'],
    ['{ public: hush-hush }', 'public'],
    ['{ buckt: abc }', '"buckt"'],
    ['yes', 'a map'],
  ])('refuses %s and repeats no secret', async (text, said) => {
    const { message } = await settingError(load(`static_bucket: ${text}`))
    expect(message).toContain(said)
    expect(message.toLowerCase()).not.toContain('hush-hush')
  })
})
