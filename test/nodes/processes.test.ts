import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { flawless, underLoad } from '../rig/load-client.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// Processes, cron, scale and hooks of a tiny project with a node that serves and a node that works; then the release command of a
// Django project.
const yaml = `name: mill
wsgi: mill.wsgi:application
packages: []
domain: mill.test
workers: 1
health: { path: /, tries: 5, timeout: 5 }
processes:
  worker: { command: python mill/worker.py, count: 2, memory: 96 MB, stop: 1 }
cron:
  nightly: { schedule: "* * * * *", command: 'echo "in $KRAFT_RELEASE as $(id -un)"; sleep "$(cat "$HOME/slow" || echo 0)"' }
hooks:
  before-build:
    - local: echo "made by $KRAFT_HOOK" >mill/made
    - cp mill/made .kraft/public/static/made; id -un >.kraft/public/static/builder
  before-switch: 'echo "$KRAFT_HOOK $KRAFT_HOOK_TARGET $KRAFT_HOOK_NODES $KRAFT_HOOK_RELEASE $KRAFT_RELEASE" >>"$HOME/hooks"'
  after-switch:
    - 'echo "$(readlink /web/mill/current)" >>"$HOME/switched"'
    - local: echo "$KRAFT_HOOK $KRAFT_HOOK_TARGET $KRAFT_HOOK_NODES" >after
environments: { live: { nodes: { web: [one], worker: [two] } } }
`
const files: Files = {
  'kraftwerk.yaml': yaml,
  'mill/__init__.py': '',
  'mill/wsgi.py': `import os, time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/slow':
        time.sleep(0.5)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`,
  // It does not end by TERM, and wants more memory than it may have when it is told to.
  'mill/worker.py': `import os, pathlib, signal, time
signal.signal(signal.SIGTERM, lambda *_: print('asked to end', flush=True))
print(os.environ['KRAFT_PROCESS'], os.environ['KRAFT_PROCESS_INDEX'], os.environ['KRAFT_RELEASE'], flush=True)
hungry = pathlib.Path.home() / 'hungry'
while True:
    time.sleep(0.1)
    if hungry.exists() and os.environ['KRAFT_PROCESS_INDEX'] == '1':
        hungry.unlink()
        bytearray(256 << 20)
`,
  // As Celery does, it ends its child itself when it is asked to end: nobody else is to ask that one.
  'mill/parent.py': `import os, signal, subprocess, sys
child = subprocess.Popen(['cat'], stdin=subprocess.PIPE)
def end(*_):
    child.stdin.close()
    print('its child ended with', child.wait(), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print('runs with', os.environ.get('WORD'), flush=True)
while True:
    signal.pause()
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'mill')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one', 'two'])
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const on = async (node: string, script: string) => (await story.onNode(node, script)).trim()
const services = (node: string) => on(node, 'ls /etc/service | grep "^mill" | sort || :')

interface Row {
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly pid?: number
  readonly memory?: number
  readonly restarts?: number
  readonly code?: number
}
async function programs(node: string): Promise<readonly Row[]> {
  const all: { node: string; programs: Row[] }[] = JSON.parse((await must('ps:live', '--json')).stdout)
  return all.find((each) => each.node === node)?.programs ?? []
}

test('a node that works has the release and its processes, one that serves has the site, and hooks run around it', async () => {
  await must('deploy:live')
  expect(await services('one')).toMatch(/^mill\.web\.\d{8}-\d{6}$/)
  expect(await services('two')).toBe('mill.process.worker.1\nmill.process.worker.2')
  expect(await on('two', 'ls /etc/nginx/sites-enabled /etc/cron.d; ls /web/mill/log')).toMatch(
    /kraftwerk-mill(.|\n)*cron\.nightly\n(.*\n)?worker\nworker\.2$/,
  )
  expect(await on('one', 'ls /etc/cron.d')).not.toContain('kraftwerk-mill')
  const release = (await on('two', 'readlink /web/mill/current')).replace('releases/', '')
  expect((await ask(await story.address('one'), { host: 'mill.test', path: '/' })).text).toBe(release)
  // Each line behind the time at which it came.
  expect(await on('two', 'cat /web/mill/log/worker /web/mill/log/worker.2')).toMatch(
    new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]{12}Z worker 1 ${release}\n\\S{24} worker 2 ${release}$`),
  )

  expect(await on('one', 'cat /web/mill/current/mill/made /web/mill/current/.kraft/public/static/*')).toBe(
    'made by before-build\nmill-build\nmade by before-build',
  )
  expect(await on('two', 'cat /web/mill/home/hooks /web/mill/home/switched')).toBe(
    `before-switch live one two ${release} ${release}\nreleases/${release}`,
  )
  expect(await readFile(join(project, 'after'), 'utf8')).toBe('after-switch live one two\n')
})

test('ps tells what runs on each node', async () => {
  expect(await programs('one')).toMatchObject([
    { kind: 'web', name: 'web', state: 'run', restarts: 0, pid: expect.any(Number), memory: expect.any(Number) },
    { kind: 'web worker', name: 'web.1', state: 'run' },
  ])
  expect(await programs('two')).toMatchObject([
    { kind: 'process', name: 'worker.1', state: 'run', restarts: 0 },
    { kind: 'process', name: 'worker.2', state: 'run', restarts: 0 },
    { kind: 'cron', name: 'nightly', state: 'waiting' },
  ])
  const { stdout } = await must('ps:live')
  expect(stdout).toMatch(/^NODE +KIND +NAME +STATE +SINCE +PID +MEMORY +ENDED$/m)
  expect(stdout).toMatch(/^two +process +worker\.2 +run +\d+ s +\d+ +[\d.]+ MiB$/m)
  expect(stdout).toMatch(/^two: cron runs at times of \w+$/m)
})

test('a process gets no more memory than it may have; it ends, is started again, and ps counts that', async () => {
  await on('two', 'touch /web/mill/home/hungry')
  await expect
    .poll(async () => (await programs('two'))[0], { timeout: 15_000 })
    .toMatchObject({ name: 'worker.1', state: 'run', restarts: 1, code: 1 })
  expect(await on('two', 'tail -n 2 /web/mill/log/worker')).toMatch(/^\S+Z MemoryError\n\S+Z worker 1 /)
})

test('scale changes how many run, the next deploy keeps it, and --reset goes back', async () => {
  const before = await programs('two')
  await must('scale:live', 'worker=3')
  const after = await programs('two')
  expect(after.map(({ name }) => name)).toEqual(['worker.1', 'worker.2', 'worker.3', 'nightly'])
  expect(after.slice(0, 2).map(({ pid }) => pid)).toEqual(before.slice(0, 2).map(({ pid }) => pid))
  expect((await must('ps:live')).stdout).toContain('two: kraft scale has set worker to 3, kraftwerk.yaml says 2')

  await must('deploy:live')
  const deployed = await programs('two')
  expect(deployed.map(({ name }) => name)).toEqual(['worker.1', 'worker.2', 'worker.3', 'nightly'])
  for (const [index, { pid }] of deployed.slice(0, 3).entries()) expect(pid).not.toBe(after[index]?.pid)
  // It was asked first, and killed when it did not go.
  expect(await on('two', 'tail -n 2 /web/mill/log/worker.2')).toMatch(/^\S+Z asked to end\n\S+Z worker 2 /)

  expect(failure((await kraft('scale:live', 'werker=3')).stderr)).toContain('Did you mean "worker"?')
  expect((await kraft('scale:live', 'web=0')).code).toBe(2)
  await must('scale:live', '--reset')
  expect(await services('two')).toBe('mill.process.worker.1\nmill.process.worker.2')
})

test('scale of the web workers loses no request', async () => {
  const site = { address: await story.address('one'), host: 'mill.test' }
  const { reports } = await underLoad(site, () => must('scale:live', 'web=3'), { quick: '/', slow: '/slow' })
  flawless(reports, { fresh: 10, kept: 10, slow: 1 })
  const count = async () => (await programs('one')).filter(({ kind }) => kind === 'web worker').length
  await expect.poll(count, { timeout: 10_000 }).toBe(3)
})

test('a command is what bash takes: assignments, cd, several and pipes; with each ends what it has started', async () => {
  const commands = {
    assigned: `WORD='a b' python mill/parent.py`,
    changed: 'cd mill && WORD=c python parent.py',
    piped: 'export WORD=d; python mill/parent.py | cat',
    deaf: '(trap "" TERM; echo runs; sleep 98) | cat; true',
    killed: 'trap "" TERM; echo runs; sleep 98 & sleep 99; true',
  }
  const settings = Object.entries(commands).map(
    ([name, command]) => `  ${name}: { command: ${JSON.stringify(command)}, stop: ${/runs/.test(command) ? 1 : 20} }\n`,
  )
  await writeFile(join(project, 'kraftwerk.yaml'), yaml.replace(/ {2}worker: .*\n/, settings.join('')))
  await must('deploy:live')
  const names = Object.keys(commands).join(' ')
  const said = () => on('two', `cd /web/mill/log; for name in ${names}; do tail -n 1 $name | cut -d ' ' -f 2-; done`)
  await expect.poll(said, { timeout: 20_000 }).toBe('runs with a b\nruns with c\nruns with d\nruns\nruns')
  // No shell stays where none is needed: TERM reaches the program itself.
  const program = (name: string) => on('two', `cat /proc/$(cat /etc/service/mill.process.${name}.1/supervise/pid)/comm`)
  expect([await program('assigned'), await program('changed')]).toEqual(['python', 'python'])

  await must('stop:live')
  expect(await on('two', 'sv status /etc/service/mill.process.* | grep -v ^down || :; pgrep -u mill -a || :')).toBe('')
  expect(await said()).toMatch(/^(its child ended with 0\n){3}runs\nruns$/)
  await writeFile(join(project, 'kraftwerk.yaml'), yaml)
  await must('start:live')
})

test('a hook that fails before the switch takes the deploy back, and after it takes nothing back', async () => {
  const current = () => on('one', 'readlink /web/mill/current')
  const before = await current()
  await writeFile(
    join(project, 'kraftwerk.yaml'),
    yaml.replace('  before-switch: ', '  before-switch: if [ -e /etc/cron.d/kraftwerk-mill ]; then echo no luck; exit 3; fi #'),
  )
  const early = await kraft('deploy:live')
  expect(early.code).toBe(1)
  expect(failure(early.stderr)).toMatch(/before-switch: .* failed with code 3/)
  expect(failure(early.stderr)).toMatch(/no luck(.|\n)*Nothing was switched/)
  expect(await current()).toBe(before)

  await writeFile(
    join(project, 'kraftwerk.yaml'),
    yaml.replace('echo "$KRAFT_HOOK $KRAFT_HOOK_TARGET $KRAFT_HOOK_NODES" >after', 'exit 4'),
  )
  const late = await kraft('deploy:live')
  expect(late.code).toBe(1)
  expect(failure(late.stderr)).toContain('this machine: exit 4: ended with code 4')
  expect(failure(late.stderr)).toContain('serves release')
  expect(await current()).not.toBe(before)
})

test('cron runs a command as the instance in the current release, never twice at once, and goes with its entry', async () => {
  const log = '/web/mill/log/cron.nightly'
  // The first minute has gone by while all this ran.
  await expect.poll(() => on('two', `cat ${log}`), { timeout: 65_000, interval: 1000 }).toMatch(/^\S+Z in \d{8}-\d{6} as mill$/m)
  await on('two', 'echo 3 >/web/mill/home/slow')
  await on('two', 'set -- /etc/kraftwerk/mill/cron/nightly; "$1" & sleep 1; "$1"; wait')
  const release = (await on('two', 'readlink /web/mill/current')).replace('releases/', '')
  const said = await on('two', `cat ${log}`)
  expect(said).toContain(`in ${release} as mill\n`)
  expect(said).toMatch(/^\S+Z kraft: .* nightly still runs, and is not begun again$/m)
  expect(said).toMatch(/^\S+Z kraft: .* nightly ended with code 0 after \d+ s$/m)
  const entry = async () => (await programs('two')).find(({ kind }) => kind === 'cron')
  await expect.poll(entry, { timeout: 10_000 }).toMatchObject({ name: 'nightly', code: 0 })

  const other = yaml
    .replace('nightly:', 'yearly:')
    .replace('"* * * * *"', '"@yearly"')
    .replace(/ {2}worker: .*\n/, '  other: sleep 99\n')
  await writeFile(join(project, 'kraftwerk.yaml'), other)
  await must('deploy:live')
  expect(await services('two')).toBe('mill.process.other.1')
  expect(await on('two', 'ls /etc/kraftwerk/mill/cron; grep -v "^#" /etc/cron.d/kraftwerk-mill')).toMatch(
    /^yearly\n(.*\n)*@yearly root \/etc\/kraftwerk\/mill\/cron\/yearly$/,
  )
  await must('destroy:live', '--yes')
  expect(await on('two', 'ls -d /etc/cron.d/kraftwerk-mill /etc/sv/mill* /web/mill 2>/dev/null || echo none')).toBe('none')
})
