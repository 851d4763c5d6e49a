import { describe, expect, it } from 'vitest'
import { isSecret, secret } from '../../engine/shell/secret.js'
import { compile } from '../../engine/step/compile.js'
import { sendStatic, staticBucket, tidyStatic } from '../../recipes/static-bucket.js'

const place = { name: 'shop', home: '/web/shop' }
const bucket = {
  endpoint: undefined,
  region: 'us-east-1',
  bucket: 'shop-static',
  folder: 'shop/live',
  accessKey: 'AKIA1',
  secretKey: secret('hush-hush'),
  public: false,
  prune: 90,
}
const given = {
  bucket,
  keys: { accessKey: 'AKIA1', secretKey: secret('hush-hush') },
  url: '/static/',
  packageStatic: 'src/shop/static',
  cache: { '/static/dist/': { browser: 'immutable' }, '/': { browser: 60 } } as const,
}
const contents = (steps: ReturnType<typeof staticBucket>) => steps.flatMap(({ files = {} }) => Object.values(files))

describe('static files in a bucket', () => {
  it('the keys are in a file of their own, which is a secret', () => {
    const steps = staticBucket(place, given)
    expect(compile('Set up', steps).text).not.toContain('hush-hush')
    expect(contents(steps).filter(isSecret)).toHaveLength(1)
    expect(contents(staticBucket(place, { ...given, keys: undefined })).filter(isSecret)).toHaveLength(0)
  })

  it('says to browsers what nginx says: the rules for static files, then names with a hash, then a minute', () => {
    const text = contents(staticBucket(place, given)).find((each) => String(each).includes('"keep"'))
    expect(JSON.parse(String(text))).toMatchObject({
      endpoint: null,
      folder: 'shop/live',
      package: 'src/shop/static',
      prune: 90 * 86_400,
      keep: [
        ['^/static/dist/', 'public, max-age=31536000, immutable'],
        [expect.stringContaining('0-9a-f'), 'public, max-age=31536000, immutable'],
        ['', 'public, max-age=60'],
      ],
    })
  })

  it('without a bucket nothing of it stays on the node', () => {
    expect(
      staticBucket(place, undefined)
        .map(({ check }) => check?.text)
        .join(),
    ).toContain('/etc/kraftwerk/shop/static')
  })

  it('a failure stops the deploy before the switch, but not what is tidied after it', () => {
    expect(sendStatic({ place, id: '20261128-010203', generation: 'x' }, bucket).apply.text).toMatch(/^exec python3 .* send /)
    expect(tidyStatic(place, bucket)[0]?.apply.text).toContain('Old static files stay there until the next deploy')
    expect(tidyStatic(place, { ...bucket, prune: undefined })).toEqual([])
  })
})
