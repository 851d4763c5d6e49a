import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { startConstantLoad } from '../rig/constant-load.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// An application that writes a row for each request, and a worker that does so by itself: what is lost or done twice shows.
const files: Files = {
  'kraftwerk.yaml': `name: ledger
domain: ledger.example.com
wsgi: ledger.wsgi:application
packages: []
workers: 2
services: [postgres, files]
shared: [media]
timeout: 10
release: |
  psql -XAtqc 'CREATE TABLE IF NOT EXISTS entry (id serial, node text, kind text)'
processes:
  ticker: |
    while :; do psql -XAtqc "INSERT INTO entry (node, kind) VALUES ('$(hostname)', 'tick')"; sleep 0.2; done
cron: { nightly: { schedule: '0 0 1 1 *', command: 'true' } }
health: { path: /health, tries: 2, timeout: 3 }
environments:
  live: { live: true, nodes: [one] } # where it is
`,
  'ledger/__init__.py': '',
  'ledger/wsgi.py': `import os, socket, subprocess
def psql(statement):
    return subprocess.check_output(['psql', '-XAtqc', statement])
def application(environ, start_response):
    start_response('500 Broken' if os.path.exists('/etc/broken') else '200 OK', [('Content-Type', 'text/plain')])
    path = environ['PATH_INFO']
    if path == '/write':
        psql("INSERT INTO entry (node, kind) VALUES ('%s', 'request')" % socket.gethostname())
    said = (os.environ['SECRET_KEY'], os.environ.get('COLOUR', ''), environ['HTTP_X_FORWARDED_FOR'], environ['REMOTE_ADDR'])
    return [(socket.gethostname() + (' '.join(('',) + said) if path == '/about' else '')).encode()]
`,
  'media/first.txt': 'from the release\n',
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one', 'two'])
  await must('deploy:live')
  await must('env:live', 'set', 'COLOUR=red')
  await story.onNode(
    'one',
    'echo one >/web/ledger/shared/media/own.txt; echo up >/web/ledger/uploads/a.txt; chown -R ledger: /web/ledger/uploads',
  )
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const host = 'ledger.example.com'
const visit = async (node: string, path: string) => (await ask(await story.address(node), { host, path })).text
const on = async (node: string, script: string) => (await story.onNode(node, script)).trim()
const rows = (node: string, what: string) => on(node, `runuser -u ledger -- psql -XAtqc "SELECT ${what} FROM entry" ledger`)
const running = (node: string) =>
  on(node, 'for each in /etc/service/ledger.*; do sv status "$each"; done | cut -d : -f 1 | sort -u')

test('a move that fails on the new node leaves the old one as it was', async () => {
  await on('two', 'touch /etc/broken')
  const { code, stderr } = await kraft('move:live', '--to', 'two')
  await on('two', 'rm /etc/broken')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('500')])
  expect(await visit('one', '/write')).toBe('one')
  expect([await running('one'), await on('one', 'ls /web/ledger/out-of-service 2>/dev/null || :')]).toEqual(['run', ''])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(files['kraftwerk.yaml'])
})

test('visitors of the old address meet no error and lose no write while all of it moves', async () => {
  const address = await story.address('one')
  const load = startConstantLoad({ address, host, paths: ['/write'] }, { rate: 15 })
  const before = Number(await rows('one', "count(*) FILTER (WHERE kind = 'request')"))
  const moved = await kraft('move:live', '--to', 'two')
  const report = await load.stop()
  expect(moved.code, moved.stderr).toBe(0)
  expect(report.failures).toEqual({})
  expect(Number(await rows('two', "count(*) FILTER (WHERE kind = 'request')")) - before).toBe(report.answered)
  expect([...report.periods.flatMap((period) => [...period.keys()])].sort()).toEqual(['one', 'two'])
  const [last, first] = (await rows('two', "max(id) FILTER (WHERE node = 'one'), min(id) FILTER (WHERE node = 'two')")).split('|')
  expect(Number(last)).toBeLessThan(Number(first))
})
