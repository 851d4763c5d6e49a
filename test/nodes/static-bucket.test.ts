import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failure } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { type S3, startS3 } from '../rig/s3.js'
import { beginStory, type Story } from '../rig/story-node.js'

// The examples in Django and Flask put their static files into an S3 that checks signatures, from which a CDN would take them.
let story: Story
let s3: S3

beforeAll(async () => {
  story = await beginStory('poster')
  await provisionPrepared(story, ['one'])
  s3 = await startS3(story.env)
})
afterAll(async () => {
  await s3?.stop()
  await story?.remove()
})

const bucketOf = (more: object = {}) => ({
  KRAFT_CDN: 'cdn.test',
  KRAFT_STATIC_BUCKET: JSON.stringify({
    endpoint: s3.endpoint,
    bucket: s3.bucket,
    access_key: s3.accessKey,
    secret_key: s3.secretKey,
    ...more,
  }),
})
const at = (cwd: string, more: object = {}, others: NodeJS.ProcessEnv = {}) => ({
  cwd,
  env: { ...story.env, ...bucketOf(more), ...others },
})
const page = async () => {
  const address = await story.address('one')
  return (await ask(address, { host: address, path: '/' })).text
}
const named = (text: string) => [...text.matchAll(/(?:href|src)="https:\/\/cdn\.test\/([^"]+)"/g)].map(([, key]) => key)

interface Held {
  readonly type: string
  readonly keep: string
  readonly tag: string
}
/** What the bucket holds below a folder, by key. */
const held = async (folder: string): Promise<Readonly<Record<string, Held>>> =>
  JSON.parse(
    await s3.python(`import json
from concurrent.futures import ThreadPoolExecutor
def head(each):
    said = s3.head_object(Bucket=bucket, Key=each['Key'])
    return each['Key'], {'type': said['ContentType'], 'keep': said['CacheControl'], 'tag': str(said['LastModified'])}
found = s3.list_objects_v2(Bucket=bucket, Prefix='${folder}').get('Contents', [])
print(json.dumps(dict(map(head, found))))`),
  )
const keys = async (folder: string): Promise<readonly string[]> =>
  JSON.parse(
    await s3.python(`import json
pages = s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, Prefix='${folder}')
print(json.dumps([each['Key'] for page in pages for each in page['Contents']]))`),
  )
const year = 'public, max-age=31536000, immutable'

test('Flask: what a page names is in the bucket before it is served, and no secret is seen', async () => {
  const { stdout, stderr } = await story.must(['deploy:stage', '--verbose'], at(story.project))
  expect(stderr).toContain('5 of 5 static files sent')
  expect(stdout + stderr).not.toContain(s3.secretKey)
  const names = named(await page())
  const found = await held('poster/')
  expect(names).toEqual([
    expect.stringMatching(/^poster\/stage\/static\/poster\.[0-9a-f]{12}\.css$/),
    expect.stringMatching(/^poster\/stage\/static\/poster\.[0-9a-f]{12}\.js$/),
  ])
  expect(names.map((key) => found[key ?? ''])).toMatchObject([
    { type: 'text/css; charset=utf-8', keep: year },
    { type: 'application/javascript; charset=utf-8', keep: year },
  ])
  expect(found['poster/stage/static/poster.css']?.keep).toBe('public, max-age=60')
  expect(Object.keys(found)).toHaveLength(5)
  const kept = `grep -rlsF '${s3.secretKey}' /etc /var/log /run /tmp /var/tmp /web | xargs stat -c '%n %U %a'`
  expect((await story.onNode('one', kept)).trim()).toBe('/etc/kraftwerk/poster-stage/static/secrets.json root 600')
})

test('a bucket that refuses fails the deploy before the switch; then only what changed is sent, and old pages find theirs', async () => {
  const before = await page()
  const found = await held('poster/')
  const style = join(story.project, 'poster/static/poster.css')
  await writeFile(style, `${await readFile(style, 'utf8')}body { margin: 0 }\n`)
  const refused = await story.kraft(['deploy:stage'], at(story.project, { secret_key: 'wrong' }))
  expect([refused.code, failure(refused.stderr)]).toEqual([
    1,
    expect.stringContaining('S3 refuses the access key (SignatureDoesNotMatch)'),
  ])
  expect([await page(), await held('poster/')]).toEqual([before, found])

  const { stderr } = await story.must(['deploy:stage', '--verbose'], at(story.project))
  // The style by both of its names, and the list of names.
  expect(stderr).toContain('3 of 5 static files sent')
  const [now, after] = [named(await page()), await held('poster/')]
  expect([now[0] === named(before)[0], now[1] === named(before)[1]]).toEqual([false, true])
  for (const key of [...now, ...named(before)]) expect(after).toHaveProperty([key ?? ''])
  expect(after[now[1] ?? '']).toEqual(found[now[1] ?? ''])
})

test('what no kept release has is removed once it was so for as long as prune says, and nothing else', async () => {
  const before = await keys('poster/')
  await s3.python(`s3.put_object(Bucket=bucket, Key='poster/live/static/other.css', Body=b'of another environment')`)
  // As at the end of a deploy.
  const folder = '/etc/kraftwerk/poster-stage/static'
  const tidy = async () => {
    const text = await story.onNode('one', `python3 -B ${folder}/static.py tidy >&2; cat ${folder}/state.json`)
    return Object.keys(JSON.parse(text).gone)
  }
  expect(await tidy()).toEqual([])
  await story.onNode('one', 'cd /web/poster-stage/releases; rm -r "$(ls | sort | head -n 1)"')
  const gone = await tidy()
  expect(gone).toEqual([expect.stringMatching(/^poster\/stage\/static\/poster\.[0-9a-f]{12}\.css$/)])
  expect(await keys('poster/stage/')).toEqual(before)
  await story.onNode('one', `sed -i -E 's/("gone": \\{[^:]*: )[0-9.]+/\\11/' ${folder}/state.json`)
  expect(await tidy()).toEqual([])
  const left = await keys('poster/')
  expect(left).toEqual(['poster/live/static/other.css', ...before.filter((key) => !gone.includes(key))])
  for (const key of named(await page())) expect(left).toContain(key)
})

test('Django: its hashed names, those of the admin too, and destroy says what stays', async () => {
  const { stderr } = await story.must(['destroy:stage', '--yes'], at(story.project))
  expect(stderr).toContain(`Static files stay in S3 until you remove them there: ${s3.bucket}, poster/stage/`)
  const project = join(story.home, 'guestbook')
  await story.bash(`cp -r ${join(import.meta.dirname, '../../examples/guestbook')} ${project}`)
  // Neither PostgreSQL nor a domain has anything to do with it.
  const plain = at(project, {}, { KRAFT_SERVICES: '[sqlite, files]' })
  await writeFile(
    join(project, 'kraftwerk.yaml'),
    (await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).replace(/^ *domain: stage.*\n/m, ''),
  )
  await story.must(['deploy:stage'], plain)
  const [first, all] = [named(await page()), await keys('guestbook/stage/static/')]
  expect(first).toHaveLength(3)
  for (const key of first) {
    expect(key).toMatch(/^guestbook\/stage\/static\/guestbook\/\w+\.[0-9a-f]{12}\.\w+$/)
    expect(all).toContain(key)
  }
  expect(all.filter((key) => /\/admin\/css\/base\.[0-9a-f]{12}\.css$/.test(key))).toHaveLength(1)
  expect(all.filter((key) => key.endsWith('.gz'))).toEqual([])

  // Code alone needs neither a build nor a migration, and finds its static files all the same.
  const html = join(project, 'guestbook/templates/guestbook/index.html')
  await writeFile(html, (await readFile(html, 'utf8')).replace('<title>Guestbook', '<title>Another'))
  const alone = await story.must(['deploy:stage', '--code-only', '--verbose'], plain)
  expect(alone.stderr).not.toMatch(/Build static files|migrate|static files sent/)
  const after = await page()
  expect([after.includes('<title>Another'), named(after)]).toEqual([true, first])
  const css = `/static/${first.find((key) => key?.endsWith('.css'))?.split('/static/')[1]}`
  const address = await story.address('one')
  const { status, headers } = await ask(address, { host: address, path: css, headers: { 'accept-encoding': 'gzip' } })
  expect([status, headers['content-encoding'], headers['cache-control']]).toEqual([200, 'gzip', year])
})
