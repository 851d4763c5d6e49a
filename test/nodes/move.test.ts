import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { startConstantLoad } from '../rig/constant-load.js'
import { ask } from '../rig/http.js'
import { ensurePackages } from '../rig/packages.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

// An application that writes a row for each request, and a worker that does so by itself: what is lost or done twice shows.
const files: Files = {
  'kraftwerk.yaml': `name: ledger
domain: ledger.example.com
https: { certificate: own.pem, key: own.key }
wsgi: ledger.wsgi:application
packages: []
workers: 2
services: [postgres, files]
shared: [media]
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
let ca: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await writeFiles(project, files)
  // One that nobody knows but the site itself.
  await ensurePackages(['openssl'])
  await story.bash(
    `openssl req -x509 -nodes -newkey rsa:2048 -days 90 -subj /CN=ledger -addext 'subjectAltName=DNS:${host}' -keyout own.key -out own.pem`,
    { cwd: project },
  )
  ca = await readFile(join(project, 'own.pem'), 'utf8')
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
const visit = async (node: string, path: string) => (await ask(await story.address(node), { host, path, ca })).text
const on = async (node: string, script: string) => (await story.onNode(node, script)).trim()
const rows = (node: string, what: string) => on(node, `runuser -u ledger -- psql -XAtqc "SELECT ${what} FROM entry" ledger`)
const written = async (node: string) => Number(await rows(node, "count(*) FILTER (WHERE kind = 'request')"))
const startLoad = async (node: string) => {
  const before = await written(node)
  return {
    before,
    ...startConstantLoad(
      { address: await story.address(node), host, ca, paths: ['/write'], kept: false },
      { rate: 8, patience: 100 },
    ),
  }
}
const nginxSays = async () =>
  (await Promise.all(['one', 'two'].map((node) => on(node, 'tail -n 9 /web/ledger/log/nginx.error 2>/dev/null || :')))).join('\n')
const running = (node: string) =>
  on(node, 'for each in /etc/service/ledger.*; do [ ! -e "$each" ] || sv status "$each"; done | cut -d : -f 1 | sort -u')

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
  const plan = await must('move:live', '--to', 'two', '--dry-run')
  expect(plan.stdout).toMatch(
    /^Would move ledger from one to two:\n1\. two is bootstrapped.*\n2\. first sync of postgres \(.*\), files \(/,
  )
  expect(plan.stdout).toMatch(/^DNS: ledger\.example\.com .* has to lead to 10\.77\.\S+$/m)
  const about = await visit('one', '/about')
  const load = await startLoad('one')
  const { stdout } = await must('move:live', '--to', 'two')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect([await written('two'), [...new Set(report.periods.flatMap((period) => [...period.keys()]))].sort()]).toEqual([
    load.before + report.answered,
    ['one', 'two'],
  ])
  const [last, first] = (await rows('two', "max(id) FILTER (WHERE node = 'one'), min(id) FILTER (WHERE node = 'two')")).split('|')
  expect(Number(last)).toBeLessThan(Number(first))
  expect(await rows('two', "bool_or(kind = 'tick' AND node = 'two')")).toBe('t')

  expect(stdout).toMatch(/kraftwerk\.yaml:\d+:\d+ names two now: commit it/)
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(files['kraftwerk.yaml']?.replace('[one] }', '[two] }'))
  // The same secret key and variables; the visitor is who came to the old node.
  const [, key, colour, visitor] = about.split(' ')
  expect((await visit('two', '/about')).split(' ').slice(0, 4)).toEqual(['two', key, colour, visitor])
  expect((await visit('one', '/about')).split(' ').slice(0, 4)).toEqual(['two', key, 'red', `${visitor},`])
  expect(await visit('one', '/uploads/a.txt')).toBe('up\n')
  expect(await on('two', 'cat /web/ledger/shared/media/own.txt')).toBe('one')
  expect([await running('one'), await running('two')]).toEqual(['down', 'run'])
})

test('whoever has an older kraftwerk.yaml can not deploy to the node that it has left', async () => {
  const yaml = await readFile(join(project, 'kraftwerk.yaml'), 'utf8')
  await writeFile(join(project, 'kraftwerk.yaml'), files['kraftwerk.yaml'] ?? '')
  for (const task of ['deploy', 'reload']) {
    const { code, stderr } = await kraft(`${task}:live`)
    expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('ledger has moved from here to two')])
  }
  await writeFile(join(project, 'kraftwerk.yaml'), yaml)
  expect(await running('one')).toBe('down')
})

test('a kraft that is killed in the pause costs no request; repeated, the move goes on, here back to where it came from', async () => {
  const load = await startLoad('two')
  const cut = startKraft(['move:live', '--to', 'one', '--pause', '8'], { cwd: project, env: story.env })
  await cut.says('> Last sync')
  cut.child.kill('SIGKILL')
  await cut.ended
  expect(
    await on('two', 'while [ -e /run/web/ledger/move/hold ]; do sleep 0.1; done; cat /web/ledger/out-of-service/moved 2>&1 || :'),
  ).toContain('No such file')
  expect(await visit('two', '/write')).toBe('two')
  expect(await running('two')).toBe('run')
  expect(await visit('one', '/write')).toBe('two')

  await must('move:live', '--to', 'one')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect(await written('one')).toBe(load.before + report.answered + 2)
  expect([await running('one'), await running('two'), await visit('two', '/write')]).toEqual(['run', 'down', 'one'])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(files['kraftwerk.yaml'])
})

test('what is left on the other node is removed when it is asked for', async () => {
  await must('move:live', '--remove-old', '--yes')
  expect(await on('two', 'ls /web /etc/kraftwerk /etc/nginx/sites-enabled | grep ledger || :')).toBe('')
  expect(await visit('one', '/write')).toBe('one')
  const again = await kraft('move:live', '--remove-old', '--yes')
  expect([again.code, failure(again.stderr)]).toEqual([1, expect.stringContaining('ledger has not moved here')])
})

test('the database alone goes to a node of its own, with no error and no write lost', async () => {
  const plan = await must('move:live', '--service', 'postgres', '--to', 'two', '--dry-run')
  expect(plan.stdout).toMatch(/^Would move postgres of ledger to two:\n1\. two is bootstrapped, serves postgres for one/)
  const { code, stderr } = await kraft('move:live', '--service', 'files', '--to', 'two')
  expect([code, failure(stderr)]).toEqual([2, expect.stringContaining('files is always on the node that uses it')])

  const load = await startLoad('one')
  await must('move:live', '--service', 'postgres', '--to', 'two')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect(await written('two')).toBe(load.before + report.answered)
  expect(await visit('one', '/write')).toBe('one')
  expect(await written('two')).toBe(load.before + report.answered + 1)
  expect([await running('one'), await running('two')]).toEqual(['run', ''])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toContain('nodes: { web: [one], db: [two] } } # where it is')
  await must('deploy:live')
  expect(await visit('one', '/write')).toBe('one')
})
