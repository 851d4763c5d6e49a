import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, writeFiles } from '../rig/cli.js'
import { call, kraftProgram } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { inTerminal } from '../rig/terminal.js'

// What kraft shows of a project that serves: the shells of its services, and ways to them.
const files: Files = {
  'kraftwerk.yaml': `name: shop
wsgi: shop.wsgi:application
packages: []
workers: 1
services: [postgres, redis, files]
processes: { counter: bash count.sh }
environments: { live: { nodes: [one] } }
`,
  'shop/__init__.py': '',
  'shop/wsgi.py': `def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/fail':
        1 / 0
    print('asked for', path, flush=True)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'open']
`,
  // Counts as long as it is told to, as fast as a shell can.
  'count.sh': 'while :; do if [ -e "$HOME/count" ]; then echo "number $((n = n + 1))"; else sleep 0.1; fi; done\n',
}

let story: Story
let project: string
beforeAll(async () => {
  await ensurePackages(['postgresql-client'])
  story = await beginStory('httpbin')
  project = join(story.home, 'shop')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  await story.must(['deploy:live'], { cwd: project })
})
afterAll(() => story?.remove())

const kraft = (args: readonly string[], stdin = '') => story.kraft(args, { cwd: project, stdin })

/** What runs on the node as the instance's user, by name. */
const programs = () => story.onNode('one', 'ps -u shop -o comm= | sort -u')

test('a service has its own shell: arguments, input and exit code pass through, as the instance', async () => {
  expect(await kraft(['psql:live', '--', '-XAtc', "SELECT current_user || ' it''s'"])).toMatchObject({
    code: 0,
    stdout: "shop it's\n",
  })
  expect(await kraft(['psql:live', '--', '-XAt'], 'SELECT 1;\nSELECT current_database();\n')).toMatchObject({
    code: 0,
    stdout: '1\nshop\n',
  })
  expect((await kraft(['psql:live', '--', '-c', 'no sql'])).code).toBe(1)
  expect((await kraft(['redis-cli:live', '--', 'set', 'a key', 'held'])).stdout).toBe('OK\n')
  expect((await kraft(['service-shell:live', 'redis', '--', 'get', 'a key'])).stdout).toBe('held\n')
})

test('what the project has not is told with what it has', async () => {
  const { code, stderr } = await kraft(['mysql:live'])
  expect([code, stderr]).toEqual([255, expect.stringMatching(/live has no service mysql[\s\S]*postgres, redis/)])
  expect((await kraft(['forward:live', 'files'])).stderr).toMatch(/files has no way in[\s\S]*postgres, redis/)
})

test('on a terminal it is interactive', async () => {
  const terminal = await inTerminal([process.execPath, kraftProgram, 'psql:live'], {
    columns: 80,
    rows: 24,
    cwd: project,
    env: story.env,
  })
  await terminal.sees('shop=>')
  terminal.type('SELECT 40 + 2 AS answer;\r')
  await terminal.sees('42')
  terminal.type('\\q\r')
  expect(await terminal.ended()).toBe(0)
})

/** Starts kraft forward, and waits until it says where. */
async function forward(...args: string[]) {
  const child = spawn(process.execPath, [kraftProgram, 'forward:live', ...args], {
    cwd: project,
    env: story.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const end = async () => {
    child.kill('SIGINT')
    return (await ended)[0]
  }
  return { line: String(line), end }
}

test('a port of this machine leads to PostgreSQL with the rights of the application, for several at once, and leaves nothing', async () => {
  const { line, end } = await forward('postgres')
  expect(line).toMatch(/^postgresql:\/\/shop@127\.0\.0\.1:\d+\/shop$/)
  const psql = (statement: string) => call('psql', [line, '-XAtc', statement], { cwd: project, env: story.env })
  const answers = await Promise.all([1, 2, 3, 4].map((n) => psql(`SELECT current_user, ${n}, count(*) FROM pg_sleep(0.5)`)))
  expect(answers.map(({ stdout, stderr }) => stdout || stderr)).toEqual([1, 2, 3, 4].map((n) => `shop|${n}|1\n`))
  // More than the buffers on the way hold.
  const { stdout } = await psql(
    "SELECT sum(length(x)) FROM (SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)) AS big",
  )
  expect(stdout).toBe('20000000\n')
  const all = await psql("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
  expect(all.bytes.length).toBe(20_020_000)
  expect(await psql('SELECT no_such')).toMatchObject({ code: 1, stderr: expect.stringContaining('no_such') })
  expect(await programs()).not.toContain('psql')
  expect(await end()).toBe(0)
  expect(await psql('SELECT 1')).toMatchObject({ code: 2 })
  expect(await programs()).not.toContain('python3')
})

test('kraft dev has the services of a local node: what it runs here reads and writes there as the instance, and the way ends with it', async () => {
  await mkdir(join(project, '.venv/bin'), { recursive: true })
  await symlink('/usr/bin/python3', join(project, '.venv/bin/python'))
  const inDev = (program: string) => kraft(['dev:live', '--', 'bash', '-c', program])
  const sql = `SELECT current_user || ' ' || current_database()`
  const asked = await inDev(
    `psql -XAtc "${sql}"; psql "$DATABASE_URL" -XAtc "${sql}"; at=\${REDIS_URL##*:}; exec 3<>"/dev/tcp/127.0.0.1/\${at%/0}"
    printf 'PING\\r\\n' >&3; read -r answer <&3; echo "$answer"; echo "$UPLOADS_PATH"; exit 3`,
  )
  expect([asked.code, asked.stdout.replaceAll('\r', '')], asked.stderr).toEqual([
    3,
    `shop shop\nshop shop\n+PONG\n${project}/.local/uploads\n`,
  ])
  expect(asked.stderr).toMatch(/^postgres: shop on the node one, at 127\.0\.0\.1:\d+$/m)
  await expect.poll(programs, { timeout: 10_000 }).not.toContain('python3')

  const own = await story.kraft(['dev:live', '--no-node', '--', 'printenv', 'DATABASE_URL'], {
    cwd: project,
    env: { ...story.env, DATABASE_URL: 'sqlite://' },
  })
  expect([own.stdout, own.stderr]).toEqual(['sqlite://\n', expect.stringContaining('postgres: DATABASE_URL of your shell')])
})

test('a forwarded port is told as data as well, and is the one that was asked for', async () => {
  const { line, end } = await forward('redis', '--port', '20917', '--json')
  expect(JSON.parse(line)).toEqual({ service: 'redis', node: 'one', port: 20917, url: 'redis://127.0.0.1:20917/0' })
  const taken = await kraft(['forward:live', 'redis', '--port', '20917'])
  expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('Port 20917 of this machine is taken')])
  const ping = `exec 3<>/dev/tcp/127.0.0.1/20917; printf 'PING\\r\\n' >&3; read -r answer <&3; echo "$answer"`
  expect((await story.bash(ping)).stdout).toBe('+PONG\r\n')
  expect(await end()).toBe(0)
})

const visit = async (path: string) => (await fetch(`http://${await story.address('one')}${path}`)).status

test('logs of web, processes and nginx come in order of time, and a traceback stays whole', async () => {
  // nginx writes times in whole seconds.
  await visit('/first')
  await pause(1100)
  expect(await visit('/fail')).toBe(500)
  await pause(1100)
  await visit('/last')
  const { stdout } = await kraft(['logs:live'])
  const place = (what: RegExp) => stdout.search(what)
  const order = [
    /^nginx\.access +\| .*"GET \/first HTTP\/1\.1" 200 /m,
    /^web +\| \S+Z Traceback \(most recent call last\):$/m,
    /^web +\| \S+Z ZeroDivisionError: division by zero$/m,
    /^nginx\.access +\| .*"GET \/last HTTP\/1\.1" 200 /m,
  ].map(place)
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  expect(order[0]).toBeGreaterThan(-1)

  const found = (await kraft(['logs:live', 'web', '--grep', 'ZeroDivision', '--since', '10m', '--json'])).stdout
  const { text, ...entry } = JSON.parse(found)
  expect(entry).toEqual({ node: 'one', log: 'web', time: expect.stringMatching(/^2/) })
  expect(text).toMatch(/Error handling request (GET )?\/fail\n\S+Z Traceback[\s\S]+ZeroDivisionError: division by zero$/)
  expect((await kraft(['logs:live', 'web', '--lines', '1'])).stdout).toMatch(/^\S+Z asked for \/last\n$/)
  expect((await kraft(['logs:live', 'werb'])).stderr).toMatch(/live has no log werb[\s\S]*counter, .*nginx\.access/)
})

const rotate = 'logrotate -f /etc/logrotate.d/kraftwerk-shop'

test('a rotation loses no line, however many come', async () => {
  await story.onNode(
    'one',
    `touch /web/shop/home/count; for n in 1 2 3; do sleep 0.3; ${rotate}; done; rm /web/shop/home/count; sleep 0.5`,
  )
  const order = `cd /web/shop/log; zcat -f .old/counter.3.gz .old/counter.2.gz .old/counter.1 counter |
    awk '$NF != NR { print "lost before", $0; exit } END { print (NR > 1000) }'`
  expect(await story.onNode('one', order)).toBe('1\n')
  // Those that were rotated are found as well.
  // The newest of them: how many lines back it looks is limited.
  const last = (await story.onNode('one', 'tail -n 1 /web/shop/log/.old/counter.1')).trim().split(' ').at(-1)
  const { stdout, stderr } = await kraft(['logs:live', 'counter', '--grep', `number ${last}$`])
  expect(stdout, stderr).toMatch(new RegExp(`^\\S+Z number ${last}\\n$`))
})

test('--follow goes on over a rotation and a deploy, ends with Ctrl-C, and leaves nothing on the node', async () => {
  const child = spawn(process.execPath, [kraftProgram, 'logs:live', 'web', '--follow', '--lines', '1'], {
    cwd: project,
    env: story.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'close')
  const says = (text: string) => expect.poll(() => said, { timeout: 20_000 }).toContain(text)
  await says('asked for /last\n')
  await visit('/before')
  await says('asked for /before\n')
  await story.onNode('one', rotate)
  await visit('/rotated')
  await says('asked for /rotated\n')
  await story.must(['deploy:live'], { cwd: project })
  await visit('/deployed')
  await says('asked for /deployed\n')
  // What the old process said at its end, through a log of its own.
  expect(said).toContain('Shutting down: Master')
  child.kill('SIGINT')
  expect((await ended)[0]).toBe(0)
  expect(said.split('\n').filter((row) => / asked for \/(before|rotated|deployed)$/.test(row))).toHaveLength(3)
  await expect.poll(() => story.onNode('one', 'pgrep -fc "[f]ollow, \\*names" || :'), { timeout: 10_000 }).toBe('0\n')
})

interface Health {
  readonly ok: boolean
  readonly nodes: readonly {
    readonly attention: readonly { readonly what: string; readonly next: string }[]
    readonly [part: string]: unknown
  }[]
}
const health = async (): Promise<readonly [code: number, health: Health]> => {
  const { code, stdout } = await kraft(['status:live', '--json'])
  return [code, JSON.parse(stdout)]
}

test('status says how all of it is, for people in 80 columns and for machines', async () => {
  const { stdout } = await story.must(['status:live'], { cwd: project })
  for (const row of [
    /^one: release \d{8}-\d{6}$/m,
    /^ {2}site +200 in \d+ ms$/m,
    /^ {2}web +run, since .*, 1 worker, \d+ MiB$/m,
    /^ {2}postgres +up, version 15\.\d+, [\d.]+ MiB, \d+ connections?$/m,
    /^ {2}redis +up, version 7[\d.]+, .*, 1 key$/m,
    /^ {2}files +up, 0 B, 0 files$/m,
    /^ {2}disk \/ +\d+% of .*% of inodes$/m,
    /^ {2}memory +\d+% of /m,
    /^ {2}system +up .*, (no|\d+) updates? waits?/m,
  ]) {
    expect(stdout).toMatch(row)
  }
  expect(Math.max(...stdout.split('\n').map((row) => row.length))).toBeLessThanOrEqual(80)
  const [code, { ok, nodes }] = await health()
  expect([code, ok]).toEqual([0, true])
  expect(nodes[0]).toMatchObject({
    node: 'one',
    ok: true,
    attention: [],
    site: { code: 200, milliseconds: expect.any(Number), closed: null },
    services: [
      {
        name: 'postgres',
        up: true,
        version: expect.stringMatching(/^15\./),
        size: expect.any(Number),
        connections: expect.any(Number),
      },
      { name: 'redis', up: true, keys: 1 },
      { name: 'files', up: true, files: 0 },
    ],
    programs: [{ kind: 'web', state: 'run', restarts: 0 }, { kind: 'web worker' }, { name: 'counter.1', state: 'run' }],
    machine: { cpus: expect.any(Number), clock: 0, reboot: false, memory: { size: expect.any(Number) } },
  })
})

test('what needs a hand is said with what to do, and is an exit code', async () => {
  await story.onNode('one', 'sv down /etc/service/shop+redis; sv down /etc/service/shop.web.*; touch /run/reboot-required')
  const [code, { ok, nodes }] = await health()
  expect([code, ok]).toEqual([1, false])
  expect(nodes[0]?.attention).toEqual([
    { what: 'The site answers / with code 502', next: 'Its log: kraft logs:live web nginx' },
    {
      what: expect.stringMatching(/^web does not run \((?:down|finish)\)$/),
      next: expect.stringContaining('kraft restart:live'),
    },
    { what: expect.stringMatching(/^redis does not answer: /), next: expect.stringContaining('kraft deploy:live') },
    { what: 'It wants a reboot (updates)', next: expect.stringContaining('reboot') },
  ])
  const { stdout } = await kraft(['status:live'])
  expect(stdout).toMatch(/^ {2}redis +DOWN: /m)
  expect(stdout).toMatch(/^! one: The site answers \/ with code 502\n {2}Its log: kraft logs:live web nginx$/m)
  await story.onNode('one', 'sv up /etc/service/shop+redis; sv up /etc/service/shop.web.*; rm /run/reboot-required')
})
