import { readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { chapters } from '../rig/chapters.js'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { cutPower } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// What people do to an instance that is deployed: stop, start, restart, maintenance, and who is told of a deploy.
const { chapter, essential } = chapters()
const names = ['one', 'two']
const host = 'kiosk.example.com'

let story: Story
let project: string
let hooks: Server
const told: Record<string, unknown>[] = []

const settings = (port: number): Files => ({
  'kraftwerk.yaml': `name: kiosk
domain: ${host}
wsgi: kiosk.wsgi:application
workers: 1
packages: []
timeout: 5
health: { path: /, tries: 3, timeout: 2 }
processes: { clerk: sleep 1000 }
notify:
  - { webhook: "http://127.0.0.1:${port}/hooks/s3cr3t-p4th" }
  - { webhook: "http://127.0.0.1:${port}/hooks/gone/s3cr3t-p4th", on: [failure] }
  - { command: 'echo "$KRAFT_TASK $KRAFT_RESULT $KRAFT_RELEASE_ID $KRAFT_ENV" >>../told; echo no shelf >&2; exit 3' }
environments: { live: { nodes: [one, two] } }
`,
  'kiosk/__init__.py': '',
  'kiosk/static/sign.txt': 'sign',
  'kiosk/wsgi.py': `import os
if os.path.exists('/etc/broken'):
    raise RuntimeError('the shelf is empty')
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f"kiosk {environ['PATH_INFO']}".encode()]
`,
  'templates/nginx/maintenance/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
})

beforeAll(async () => {
  hooks = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      if (request.url?.includes('/gone/')) response.statusCode = 410
      else told.push(JSON.parse(body))
      response.end()
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  const address = hooks.address()
  story = await beginStory('httpbin')
  project = join(story.home, 'kiosk')
  await writeFiles(project, settings(typeof address === 'object' && address !== null ? address.port : 0))
  await provisionPrepared(story, names)
})
afterAll(async () => {
  hooks?.close()
  await story?.remove()
})

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const data = async (...args: string[]) => JSON.parse((await must(...args, '--json')).stdout)

/** What each node answers. */
async function answers(path = '/', more: { method?: string; headers?: Record<string, string> } = {}) {
  return Promise.all(names.map(async (name) => ask(await story.address(name), { host, path, ...more })))
}
const codes = async (...given: Parameters<typeof answers>) => (await answers(...given)).map(({ status }) => status)

/** The process ids of web and clerk on a node; empty where they are down. */
const running = (name: string) =>
  story.onNode(
    name,
    'for each in /etc/service/kiosk.*; do sv status "$each" | sed -n "s/^run: [^(]*(pid \\([0-9]*\\)).*/\\1/p"; done',
  )

essential('who is told of a deploy gets what there is to know, and whoever fails to be told changes nothing', async () => {
  const { stdout, stderr } = await must('deploy:live', '--json')
  const { release } = JSON.parse(stdout)
  expect(told.splice(0)).toEqual([
    {
      text: expect.stringMatching(new RegExp(`^kiosk live: deploy of ${release} by .*@.* is done in \\d+ s: http://${host}/$`)),
      task: 'deploy',
      result: 'success',
      project: 'kiosk',
      environment: 'live',
      instance: 'kiosk',
      release,
      commit: null,
      revision: null,
      who: expect.stringContaining('@'),
      seconds: expect.any(Number),
      urls: [`http://${host}/`],
      error: null,
    },
  ])
  expect((await story.bash('cat ../told', { cwd: project })).stdout).toBe(`deploy success ${release} live\n`)
  expect(stderr).toContain('the command 2 of notify failed: code 3: no shelf')
})

chapter('a deploy that fails is told as well, and what is secret of an address is never printed', async () => {
  await story.onNode('two', 'touch /etc/broken')
  const { code, stderr, stdout } = await kraft('deploy:live', '--verbose')
  await story.onNode('two', 'rm /etc/broken')
  expect(code).toBe(1)
  expect(told.splice(0)).toMatchObject([{ result: 'failure', task: 'deploy', error: expect.stringContaining('two: ') }])
  expect(stderr).toContain('the webhook 2 of notify failed: it answers with code 410')
  expect(failure(stderr)).toContain('the shelf is empty')
  expect(stderr + stdout).not.toContain('s3cr3t-p4th')
  expect(await codes()).toEqual([200, 200])
})

chapter('maintenance closes a site at once, on all nodes, with a page that says when to come back', async () => {
  expect((await must('maintenance:live')).stdout).toBe('one: kiosk is open\ntwo: kiosk is open\n')
  const { stdout } = await must('maintenance:live', 'on', '--message', 'Counting <stock>', '--retry-after', '1800')
  for (const answer of await answers()) {
    expect([answer.status, answer.headers['retry-after'], answer.headers['cache-control']]).toEqual([503, '1800', 'no-store'])
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.text).toContain('Counting &lt;stock&gt;')
  }
  expect(await codes('/order', { method: 'POST' })).toEqual([503, 503])
  expect(await codes('/static/sign.txt')).toEqual([503, 503])
  expect((await answers('/.kraft/maintenance/logo.svg')).map(({ status, text }) => `${status} ${text}`)).toEqual(
    Array(2).fill('200 <svg xmlns="http://www.w3.org/2000/svg"/>'),
  )
  // The challenge of a certificate authority is for the application or for whatever serves it.
  expect((await answers('/.well-known/acme-challenge/x')).map(({ text }) => text)).toEqual(
    Array(2).fill('kiosk /.well-known/acme-challenge/x'),
  )
  expect((await must('maintenance:live')).stdout).toMatch(/^one: kiosk is closed for maintenance by .+ since /)

  const [url] = stdout.match(/http:\/\/\S+\/\.kraft\/bypass\/[0-9a-f]{32}/) ?? []
  const [first] = await answers(new URL(url ?? '').pathname)
  expect([first?.status, first?.headers.location]).toEqual([302, '/'])
  const [cookie = ''] = first?.headers['set-cookie'] ?? []
  expect(cookie).toMatch(/^kraft_bypass=[0-9a-f]{32}; Path=\/; HttpOnly/)
  expect((await answers('/', { headers: { cookie: cookie.split(';')[0] ?? '' } })).map(({ text }) => text)).toEqual(
    Array(2).fill('kiosk /'),
  )
  for (const wrong of ['kraft_bypass=../allow', `kraft_bypass=${'0'.repeat(32)}`, 'kraft_bypass=none']) {
    expect(await codes('/', { headers: { cookie: wrong } })).toEqual([503, 503])
  }
  const wrong = (await answers(`/.kraft/bypass/${'0'.repeat(32)}`))[0]
  expect([wrong?.status, wrong?.headers['set-cookie']]).toEqual([302, undefined])
  const token = cookie.slice('kraft_bypass='.length, 'kraft_bypass='.length + 32)
  for (const name of names) {
    expect(await story.onNode(name, `grep -rl ${token} /web/kiosk/log /var/log/nginx /var/log/syslog 2>/dev/null || :`)).toBe('')
  }
})

chapter('who is allowed by address passes, and off opens the site for everybody', async () => {
  const address = await story.onNode('one', 'tail -n 1 /web/kiosk/log/nginx.access | cut -d " " -f 1')
  const on = await data('maintenance:live', 'on', '--allow', address.trim(), '--allow', '2001:DB8::0:7')
  expect(on).toMatchObject({ maintenance: true, message: null, retry_after: 600, allow: [address.trim(), '2001:db8::7'] })
  expect(await codes()).toEqual([200, 200])
  expect(await story.onNode('one', 'ls /web/kiosk/out-of-service | wc -l')).toBe('2\n')
  expect((await kraft('maintenance:live', 'on', '--allow', '10.0.0.0/8')).code).toBe(2)
  await must('maintenance:live', 'off')
  expect(await codes()).toEqual([200, 200])
  expect(await data('maintenance:live')).toEqual(names.map((node) => ({ node, maintenance: false, stopped: false, note: null })))
})

chapter('what is stopped stays down over a reboot, and says 503 meanwhile', async () => {
  await must('stop:live')
  for (const answer of await answers()) {
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, undefined])
    expect(answer.text).toContain('Out of service')
  }
  expect(await Promise.all(names.map(running))).toEqual(['', ''])
  expect((await must('stop:live', '--events')).stderr).toContain('"status":"ok","changed":0')
  expect((await must('scale:live', 'clerk=2', 'web=1')).stderr).toContain('kiosk is stopped: kraft start:live starts as many')
  expect((await must('env:live', 'set', 'SIGN=open')).stdout).toContain('is stopped: kraft reload:live starts it with that')
  expect(await Promise.all(names.map(running))).toEqual(['', ''])
  expect(await codes()).toEqual([503, 503])
  const boot = 'cat /proc/sys/kernel/random/boot_id /proc/1/stat | cut -d " " -f 22 | tail -n 1'
  const before = await story.onNode('one', boot)
  await story.kraft(['run:one', '--', 'systemctl', 'reboot'], { cwd: story.home })
  for (let again = 0; again < 60; again++) {
    await pause(500)
    const { code, stdout } = await story.kraft(['run:one', '--', 'sh', '-c', `${boot}; systemctl is-active nginx runit`], {
      cwd: story.home,
    })
    if (code === 0 && !stdout.startsWith(before)) break
  }
  // runit has seen all services by now.
  await story.onNode('one', 'sv status /etc/service/kiosk.*')
  expect(await running('one')).toBe('')
  expect(await codes()).toEqual([503, 503])
  expect((await must('maintenance:live')).stdout).toContain('one: kiosk is open, and is stopped\n')
})

chapter('start opens a stopped site once the application answers, and leaves it stopped where it does not', async () => {
  await story.onNode('two', 'touch /etc/broken')
  const broken = await kraft('start:live')
  expect(broken.code).toBe(1)
  expect(failure(broken.stderr)).toContain('RuntimeError: the shelf is empty')
  expect(await codes()).toEqual([200, 503])
  expect(await running('two')).toBe('')
  await story.onNode('two', 'rm /etc/broken')
  // The machine itself may be off as well.
  await cutPower(story, 'two')
  await must('start:live')
  expect(await codes()).toEqual([200, 200])
  expect((await Promise.all(names.map(running))).map((pids) => pids.trim().split('\n').length)).toEqual([3, 3])
  await must('scale:live', '--reset')
  expect((await Promise.all(names.map(running))).map((pids) => pids.trim().split('\n').length)).toEqual([2, 2])
  expect((await must('start:live', '--events')).stderr).toContain('"status":"ok","changed":0')
})

chapter('restart starts web and processes anew; what does not come back shows its log and is tried again', async () => {
  const before = (await running('one')).trim().split('\n')
  const { stderr } = await must('restart:live')
  expect(stderr).toContain('Requests that come meanwhile are lost; kraft reload:live loses none')
  const after = (await running('one')).trim().split('\n')
  expect(after.length).toBe(2)
  for (const pid of before) expect(after).not.toContain(pid)
  expect(await codes()).toEqual([200, 200])
  // What ended because somebody asked for it did not end by itself.
  const programs = (await data('ps:live')).flatMap((each: { programs: { restarts?: number }[] }) => each.programs)
  expect(programs.filter(({ restarts = 0 }: { restarts?: number }) => restarts > 0)).toEqual([])

  await story.onNode('one', 'touch /etc/broken')
  const broken = await kraft('restart:live', '--batch', '1')
  expect(broken.code).toBe(1)
  expect(failure(broken.stderr)).toContain('RuntimeError: the shelf is empty')
  await story.onNode('one', 'rm /etc/broken')
  // runit starts it again by itself.
  for (let again = 0; again < 40 && (await codes())[0] !== 200; again++) await pause(250)
  expect(await codes()).toEqual([200, 200])
})

chapter('a deploy to a stopped instance starts it, and leaves a site closed that is in maintenance', async () => {
  await must('maintenance:live', 'on')
  await must('stop:live')
  const { stderr } = await must('deploy:live')
  told.splice(0)
  expect(stderr).toMatch(/\* kiosk is not stopped \(changed\)/)
  expect((await Promise.all(names.map(running))).map((pids) => pids.trim().split('\n').length)).toEqual([2, 2])
  expect(await story.onNode('one', 'ls /etc/sv/kiosk.*/down 2>/dev/null || :')).toBe('')
  expect((await answers())[0]?.text).toContain('Back soon')
  await must('maintenance:live', 'off')
  expect(await codes()).toEqual([200, 200])
})

chapter('diff finds nothing behind a deploy, and then what a deploy would change, without touching anything', async () => {
  const same = await must('diff:live', '--exit-code')
  expect(same.stdout).toMatch(/^one, two: release \d{8}-\d{6} \(by .+\); a deploy would change nothing\n$/)

  const yaml = await readFile(join(project, 'kraftwerk.yaml'), 'utf8')
  await writeFiles(project, {
    'kraftwerk.yaml': yaml.replace('workers: 1', 'workers: 3'),
    'kiosk/static/menu.txt': 'menu',
    'requirements.txt': 'six==1.16.0\n',
  })
  await rm(join(project, 'kiosk/static/sign.txt'))
  const site = '/etc/nginx/sites-enabled/kiosk.conf'
  await story.onNode(
    'two',
    `cp -p ${site} /root/; echo "# by hand" >>${site}; echo "# by hand" >>/web/kiosk/current/kiosk/wsgi.py`,
  )
  const { code, stdout } = await kraft('diff:live', '--exit-code', '--json')
  expect(code).toBe(1)
  const [one, two] = JSON.parse(stdout)
  expect(one).toEqual({
    node: 'one',
    role: null,
    release: { id: expect.any(String), commit: null, revision: null, dirty: false, by: expect.any(String) },
    commits: null,
    files: [
      { path: 'kiosk/static/menu.txt', change: 'added' },
      { path: 'kiosk/static/sign.txt', change: 'removed' },
      { path: 'kraftwerk.yaml', change: 'changed' },
      { path: 'requirements.txt', change: 'added' },
    ],
    touched: [],
    requirements: [{ before: null, after: 'six==1.16.0' }],
    configuration: [{ title: expect.stringMatching(/^File \/etc\/sv\/kiosk\.web\..+\/run$/), diff: expect.any(Array) }],
  })
  expect(one.configuration[0].diff.join('\n')).toMatch(/^-workers=1\n\+workers=3$/m)
  expect(two.touched).toEqual(['kiosk/wsgi.py'])
  expect(two.configuration.map(({ title }: { title: string }) => title)).toContain(`File ${site}`)
  await story.onNode('two', `mv /root/kiosk.conf ${site}`)
  expect(await codes()).toEqual([200, 200])
})

chapter('open prints where the site is and gives it to the browser that BROWSER names', async () => {
  const env = { ...story.env, BROWSER: 'false-browser:touch %s' }
  const { stdout } = await story.must(['open:live', '/../opened', '--json'], { cwd: project, env })
  const url = `http://${host}/../opened`
  expect(JSON.parse(stdout)).toEqual({ url, urls: [url], browser: 'touch' })
})
