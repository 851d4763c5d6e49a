import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A skeleton as `kraft init` writes it, deployed as it is, and then every task of kraftfile.example.ts on it.
const root = join(import.meta.dirname, '../..')
let story: Story
let home: string
let project: string
let address: string

beforeAll(async () => {
  story = await beginStory('httpbin')
  home = story.home
  project = join(home, 'shop')
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
})

afterAll(() => story?.remove())

const kraft = (folder: string, ...args: string[]) => story.kraft(args, { cwd: folder })

async function done(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kraft(folder, ...args)
  expect(code, `kraft ${args.join(' ')}\n${stderr}`).toBe(0)
  return stdout
}

function fetchPage(path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: address, path, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    }).on('error', reject)
  })
}

test('a project that init wrote deploys as it is', async () => {
  await done(home, 'init', 'shop', '--no-venv')
  const refused = await kraft(home, 'init', 'shop')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('shop')

  // The only environment needs no name, and a folder deep inside the project means the project.
  const deployed = await done(join(project, 'shop'), 'deploy')
  expect(deployed).toContain(`http://${address}/`)
  expect(await fetchPage('/')).toMatchObject({ status: 200 })
  expect(await fetchPage('/healthz')).toMatchObject({ status: 200 })
  expect((await fetchPage('/static/shop/site.css')).status).toBe(200)
  expect(JSON.parse(await done(project, '--list', '--json')).map(({ name }: { name: string }) => name)).toContain(
    'clear-sessions',
  )
  await done(project, 'clear-sessions:stage')
})

test('every task of kraftfile.example.ts runs on the node', async () => {
  copyFileSync(join(root, 'kraftfile.example.ts'), join(project, 'kraftfile.ts'))
  mkdirSync(join(project, 'templates'))
  writeFileSync(join(project, 'templates/reports.conf.ejs'), 'jobs = <%= jobs %>\n')

  const listed = await done(project, '--list')
  for (const line of [/syncdb +Create missing tables/, /clear-cache +Drop old cached pages/, /release +Dump, deploy, reload/])
    expect(listed).toMatch(line)
  expect(await done(project, 'help', 'clear-cache')).toMatch(/one of home, shop/)

  const synced = await kraft(project, 'syncdb:stage', '--', '--plan')
  expect(synced.code, synced.stderr).toBe(0)
  expect(synced.stderr).toContain('No planned migration operations')

  const wrong = await kraft(project, 'clear-cache:stage', 'hom')
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain('Did you mean "home"?')
  await done(project, 'clear-cache:stage', 'home', '--hours', '2')

  const planned = await kraft(project, 'reports:stage', '--dry-run')
  expect(planned.stderr).toMatch(/\+jobs = \d+/)
  expect(await done(project, 'run:stage', '--', 'sh', '-c', 'test -e /etc/shop-stage.conf || echo none')).toBe('none\n')
  await done(project, 'reports:stage')
  expect(await done(project, 'run:stage', '--', 'cat', '/etc/shop-stage.conf')).toMatch(/^jobs = \d+\n$/)
  expect((await kraft(project, 'reports:stage')).stderr).not.toContain('(changed)')

  expect(await done(project, 'disks:stage')).toMatch(/^\d+%\n$/)
  await done(project, 'log-tails:stage')
  expect(readFileSync(join(project, 'one.log'), 'utf8')).toContain('gunicorn')

  const before = await done(project, 'run:stage', '--', 'printenv', 'KRAFT_RELEASE')
  writeFileSync(join(project, 'templates/reports.conf.ejs'), 'jobs = <%= jobs %> # again\n')
  const released = await kraft(project, 'release:stage')
  expect(released.code, released.stderr).toBe(0)
  expect(existsSync(join(project, 'before.bundle'))).toBe(true)
  expect(existsSync(join(project, 'release-notes.txt'))).toBe(true)
  // The hook before deploy ran as part of the series.
  expect(await done(project, 'run:stage', '--', 'cat', '/etc/shop-stage.conf')).toMatch(/^jobs = \d+ # again\n$/)
  expect(await done(project, 'run:stage', '--', 'printenv', 'KRAFT_RELEASE')).not.toBe(before)
})

test('processes run in the current release, follow the next one, and go when they leave kraftwerk.yaml', async () => {
  const file = join(project, 'kraftwerk.yaml')
  const written = readFileSync(file, 'utf8')
  const worker = 'processes: { worker: manage.py worker }\n'
  expect(written).toContain(worker)
  expect(await done(project, 'run:stage', '--', 'cat', '/web/shop-stage/log/worker')).toContain('Expired sessions are deleted')
  const before = written.replace(worker, '')
  const ticker = `while :; do echo "tick in $KRAFT_RELEASE as $(id -un)"; sleep 0.2; done`
  writeFileSync(file, `${before}\nprocesses:\n  ticker: ${JSON.stringify(`bash -c '${ticker}'`)}\n`)
  const lastTick = async () =>
    (await done(project, 'run:stage', '--', 'tail', '-n', '1', '/web/shop-stage/log/ticker')).trim().replace(/^\S+Z /, '')
  const current = async () => (await done(project, 'run:stage', '--', 'printenv', 'KRAFT_RELEASE')).trim()
  rmSync(join(project, 'kraftfile.ts'))

  await done(project, 'deploy:stage')
  const first = await current()
  await expect.poll(lastTick, { timeout: 10_000 }).toBe(`tick in ${first} as shop-stage`)
  await done(project, 'deploy:stage')
  const second = await current()
  expect(second).not.toBe(first)
  await expect.poll(lastTick, { timeout: 10_000 }).toBe(`tick in ${second} as shop-stage`)

  writeFileSync(file, before)
  await done(project, 'deploy:stage')
  expect(await done(project, 'run:stage', '--', 'sh', '-c', 'ls /etc/service | grep -c process || :')).toBe('0\n')
})

test("with --flask as well; and a structure of one's own takes the place of kraft's", async () => {
  const own = (path: string, text: string) => {
    mkdirSync(join(home, 'own', path, '..'), { recursive: true })
    writeFileSync(join(home, 'own', path), text)
  }
  own('kraftwerk.yaml.ejs', 'name: <%- instance %>\nwsgi: src_<%- package %>.app:run\ndomain: own.test\npackages: []\n')
  own('src___name__/app.py.ejs', "def run(environ, start):\n    start('200 OK', [])\n    return [b'<%- name %> is its own']\n")
  await done(home, 'init', 'side', '--template', 'own', '--no-git')
  await done(join(home, 'side'), 'deploy:one')
  expect((await ask(address, { host: 'own.test', path: '/' })).text).toBe('side is its own')

  await done(home, 'init', 'api', '--flask', '--no-venv')
  const env = { ...story.env, KRAFT_DOMAIN: 'api.test', KRAFT_STATIC_URL: '/assets/' }
  await story.must(['deploy'], { cwd: join(home, 'api'), env })
  const page = await ask(address, { host: 'api.test', path: '/' })
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('href="/assets/site.css"')])
  expect((await ask(address, { host: 'api.test', path: '/assets/site.css' })).headers['content-type']).toMatch(/^text\/css/)
  expect((await ask(address, { host: 'api.test', path: '/healthz' })).text).toBe('ok\n')
})
