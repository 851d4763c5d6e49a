import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { type Couchdb, startCouchdb } from '../rig/couchdb.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// Databases on a server elsewhere, whose password is in a vault.
const login = { user: 'sh op', password: `h1dden'${randomBytes(4).toString('hex')}/@%` }
const yamlOf = (url: string, databases = '[notes, empty]') => `name: desk
wsgi: desk.wsgi:application
packages: []
workers: 1
services: [{ couchdb: { url: '${url}', user: ${login.user}, password: { command: cat .password }, databases: ${databases} } }]
environments: { stage: { nodes: [one] } }
`
const files: Files = {
  '.password': login.password,
  '.kraftignore': '.password\n',
  'desk/__init__.py': '',
  'desk/wsgi.py': `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['COUCHDB_PREFIX'].encode()]
`,
}

let story: Story
let server: Couchdb
let project: string
let deployed = ''
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'desk')
  await provisionPrepared(story, ['one'])
  server = await startCouchdb(gateway(stateFrom(story.env)), login)
  await writeFiles(project, { ...files, 'kraftwerk.yaml': yamlOf(server.url) })
  const { stdout, stderr } = await must('deploy:stage', '--debug')
  deployed = stdout + stderr
})
afterAll(async () => {
  await server?.stop()
  await story?.remove()
})

const must = (...args: string[]) => story.must(args, { cwd: project })
const root = async (script: string) => (await story.onNode('one', script)).trim()
interface Answer extends ReadonlyArray<string> {
  readonly rows: readonly { readonly id: string }[]
  readonly rev: string
}
const ask = async (path: string, method = 'GET', body?: unknown) => {
  const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const answer = await fetch(`${server.url}/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Answer
}
const databases = async () => [...(await ask('_all_dbs'))].sort().join(' ')
/** All documents with their leaves and attachments; where an attachment came in is not kept by this server. */
const content = async (name: string) => {
  const { rows } = await ask(`${name}/_all_docs`)
  const docs = []
  for (const { id } of rows) {
    docs.push(
      await ask(`${name}/${id.startsWith('_design/') ? id : encodeURIComponent(id)}?conflicts=true&revs=true&attachments=true`),
    )
  }
  return JSON.stringify(docs, (key, value) =>
    key === 'revpos'
      ? undefined
      : value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort())
        : value,
  )
}

test('the application gets its address and the beginning of its names, and the password is nowhere else', async () => {
  expect(await databases()).toBe('desk_1_empty desk_1_notes')
  const { stdout } = await must(
    'run:stage',
    '--',
    'python3',
    '-c',
    `import os, urllib.parse
url = urllib.parse.urlsplit(os.environ['COUCHDB_URL'])
print(os.environ['COUCHDB_PREFIX'], urllib.parse.unquote(url.username), urllib.parse.unquote(url.password), url.hostname)`,
  )
  expect(stdout.trim()).toBe(`desk_1_ ${login.user} ${login.password} ${new URL(server.url).hostname}`)
  const hidden = login.password.slice(7, 15)
  expect(deployed).not.toContain(hidden)
  expect(await root(`grep -rlF ${hidden} /run /var/lib/kraftwerk /var/log /tmp /web /etc 2>/dev/null || :`)).toBe(
    '/etc/kraftwerk/desk/made/couchdb.server',
  )
  expect(await root('stat -c "%U %a" /etc/kraftwerk/desk/made/couchdb*')).toBe('root 600\nroot 600\nroot 600')
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
  expect((await must('deploy:stage', '--dry-run')).stderr).not.toContain(hidden)
  expect((await must('env:stage')).stdout).toMatch(/^COUCHDB_URL +service couchdb, on the node$/m)
})

test('documents with their revisions and attachments are dumped, lost, and loaded again', async () => {
  const notes = 'desk_1_notes'
  await ask(`${notes}/_bulk_docs`, 'POST', { docs: Array.from({ length: 450 }, (_, n) => ({ _id: `note ${n}/ü`, n })) })
  await ask(`${notes}/_bulk_docs`, 'POST', {
    docs: [1, 2].map((n) => ({ _id: 'both', _rev: `1-${String(n).repeat(32)}`, n })),
    new_edits: false,
  })
  const { rev } = await ask(`${notes}/gone`, 'PUT', { n: 1 })
  await ask(`${notes}/gone?rev=${rev}`, 'DELETE')
  const picture = randomBytes(300_000).toString('base64')
  const first = await ask(`${notes}/picture`, 'PUT', {
    _attachments: { 'a b.png': { content_type: 'image/png', data: picture } },
  })
  await ask(`${notes}/text`, 'PUT', { of: first.rev, _attachments: { 'ü.txt': { content_type: 'text/plain', data: 'AP8=' } } })
  await ask(`${notes}/_design/all`, 'PUT', { views: { n: { map: 'function (doc) { if (doc.n) emit(doc.n) }' } } })
  await ask(`${notes}/_security`, 'PUT', { members: { names: ['somebody'], roles: [] }, admins: { names: [], roles: [] } })
  // It begins with the same letters.
  await ask('desk_11_notes', 'PUT')
  const before = await content(notes)
  const security = await ask(`${notes}/_security`)
  const { members } = JSON.parse((await must('dump:stage', 'desk.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([
    {
      file: 'couchdb.jsonl.zst',
      counts: { 'documents.empty': 0, 'revisions.empty': 0, 'documents.notes': 454, 'revisions.notes': 456 },
    },
  ])

  await ask(`${notes}/both?rev=1-${'2'.repeat(32)}`, 'DELETE')
  await must('load:stage', 'desk.bundle', '--yes')
  expect(await databases()).toBe('desk_11_notes desk_12_empty desk_12_notes desk_1_empty desk_1_notes')
  expect(await root('curl -s --max-time 9 http://localhost/')).toBe('desk_12_')
  expect(await content('desk_12_notes')).toBe(before)
  expect(await ask('desk_12_notes/_security')).toEqual(security)
  expect((await ask('desk_12_notes/_design/all/_view/n?key=7')).rows).toEqual([{ key: 7, id: 'note 7/ü', value: null }])
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
  // What was live is there until the next load.
  await must('load:stage', 'desk.bundle', '--yes')
  expect(await databases()).toBe('desk_11_notes desk_12_empty desk_12_notes desk_13_empty desk_13_notes')
})

test('a server that does not answer or lets nobody in is told as that, and nothing is changed', async () => {
  await writeFiles(project, { '.password': 'wrong' })
  const refused = await story.kraft(['deploy:stage'], { cwd: project })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`${server.url} answers GET /_all_dbs with 401`)])
  await writeFiles(project, { ...files, 'kraftwerk.yaml': yamlOf(server.url.replace(/\d+$/, '9')) })
  const silent = await story.kraft(['deploy:stage'], { cwd: project })
  expect([silent.code, silent.stderr]).toEqual([1, expect.stringContaining('does not answer: [Errno 111]')])
  await writeFiles(project, { 'kraftwerk.yaml': yamlOf(server.url, '[notes, more]') })
  await must('deploy:stage')
  expect(await databases()).toContain('desk_13_more')
  await must('destroy:stage', '--yes')
  expect(await databases()).toBe('desk_11_notes')
})
