import { createHash } from 'node:crypto'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { chapters } from '../rig/chapters.js'
import { forgeBundle } from '../rig/forge-bundle.js'
import { ask, multipart } from '../rig/http.js'
import { backslides, flawless, releasesSeen, underLoad } from '../rig/load-client.js'
import { leftBehind, nodeState } from '../rig/node-state.js'
import { ensurePackages } from '../rig/packages.js'
import { beginStory, type Story } from '../rig/story-node.js'

// The whole story of a Django project with a root login: two environments side by side on one node.
const { chapter, essential } = chapters()
const stageHost = 'stage.guestbook.example.com'
const liveHost = 'guestbook.example.com'
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let story: Story
let address = ''
let bare = ''

beforeAll(async () => {
  await ensurePackages(['git'])
  story = await beginStory('guestbook')
  await commit('The guestbook')
})
afterAll(() => story?.remove())

async function commit(message: string): Promise<void> {
  const { code, stderr } = await story.bash(
    `set -e; [ -d .git ] || git init -q; git add -A; git -c user.name=Ada -c user.email=ada@example.com commit -qm '${message}'`,
  )
  if (code !== 0) throw new Error(stderr)
}

const live = (path: string) => ask(address, { host: liveHost, path })
const stage = (path: string) => ask(address, { host: stageHost, path })

/** Runs a command as an instance and returns what it printed, without the last newline. */
async function inside(target: 'stage' | 'live', ...command: string[]): Promise<string> {
  return (await story.must([`run:${target}`, '--', ...command])).stdout.trimEnd()
}

async function addEntry(host: string, author: string, photo?: Buffer): Promise<{ id: number; photo: string | null }> {
  const fields = { author, text: `It was lovely here, ${author} says: "größer & <b>` }
  const form = await multipart(photo === undefined ? fields : { ...fields, photo: new File([photo], 'photo.png') })
  const { status, text } = await ask(address, { host, path: '/api/entries', method: 'POST', ...form })
  expect(status, text).toBe(201)
  return JSON.parse(text)
}

/** All rows of an instance and the bytes of every upload that they name. */
async function content(
  host: string,
): Promise<{ count: number; entries: { author: string; photo: string | null }[]; photos: string[] }> {
  const { count, entries } = JSON.parse((await ask(address, { host, path: '/api/entries' })).text)
  const photos: string[] = []
  for (const { photo } of entries) {
    if (photo === null) continue
    const { status, body } = await ask(address, { host, path: photo })
    photos.push(`${photo} ${status} ${createHash('sha256').update(body).digest('hex')}`)
  }
  return { count, entries, photos }
}

/** runit looks every five seconds, so that the supervisor of a service that is gone may live on for a moment. */
async function isAsBefore(state: string): Promise<void> {
  await expect.poll(() => nodeState(story, 'one'), { timeout: 15_000, interval: 1000 }).toBe(state)
}

/** Changes files of the project for the time of one deploy. */
async function withChanges<T>(changes: Readonly<Record<string, (text: string) => string>>, run: () => Promise<T>): Promise<T> {
  const kept: [string, string][] = []
  for (const [path, change] of Object.entries(changes)) {
    const file = join(story.project, path)
    const before = await readFile(file, 'utf8')
    const after = change(before)
    if (after === before) throw new Error(`${path} is not changed by that`)
    kept.push([file, before])
    await writeFile(file, after)
  }
  try {
    return await run()
  } finally {
    for (const [file, before] of kept) await writeFile(file, before)
  }
}

essential('provision makes a node, remembers it with its host key, and says where it is', async () => {
  const { stdout } = await story.must(['provision', 'one'], { cwd: story.home })
  expect(stdout).toMatch(/^one is at [\d.]+ \(root@, local\)$/m)
  expect(await readFile(join(story.home, '.kraftwerk/nodes.yaml'), 'utf8')).toMatch(/^ {2}host_keys:\n {4}- ssh-ed25519 AAAA/m)
  address = await story.address('one')
  expect(await story.onNode('one', 'cat /proc/1/comm; id -un; . /etc/os-release; echo $VERSION_CODENAME')).toBe(
    'systemd\nroot\nbookworm\n',
  )
})

essential('bootstrap prepares the node', async () => {
  const { stdout } = await story.must(['bootstrap:one'], { cwd: story.home })
  expect(stdout).toMatch(/^one: [1-9]\d* changes$/m)
})

chapter('a second bootstrap changes nothing', async () => {
  expect((await story.must(['bootstrap:one'], { cwd: story.home })).stdout).toBe('one: 0 changes\n')
  bare = await nodeState(story, 'one')
})

essential('stage and live are deployed side by side on one node', async () => {
  expect((await story.must(['deploy:stage'])).stdout).toMatch(
    /^guestbook-stage is at release \d{8}-\d{6}\nhttp:\/\/stage\.guestbook\.example\.com\/\n(.+\n){3,4}$/,
  )
  // The second instance makes nginx read its settings anew, which visitors of the first must not notice.
  const { reports } = await underLoad({ address, host: stageHost }, () => story.must(['deploy:live']), { slow: '/release' })
  flawless({ fresh: reports.fresh, slow: reports.slow }, { fresh: 100, slow: 50 })
  const [onStage, onLive] = [(await stage('/release')).text, (await live('/release')).text]
  expect(onStage).not.toBe(onLive)
  expect(await inside('stage', 'printenv', 'KRAFT_RELEASE')).toBe(onStage.trim())
  expect(await inside('live', 'printenv', 'KRAFT_RELEASE')).toBe(onLive.trim())
})

chapter('a node that several environments share is not guessed at', async () => {
  const { code, stderr } = await story.kraft(['reload:one'])
  expect(code).toBe(2)
  expect(stderr).toContain('stage, live')
})

chapter('pages, static files and redirects come through nginx', async () => {
  const page = await live('/')
  expect(page.status).toBe(200)
  expect(page.text).toContain('You are the first one here')
  expect(page.headers.server).toBe('nginx')

  const css = await live('/static/guestbook/guestbook.css')
  expect([css.status, css.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8'])
  expect(css.text).toBe(await readFile(join(story.project, 'guestbook/static/guestbook/guestbook.css'), 'utf8'))
  // Only collectstatic brings files of other packages.
  expect((await live('/static/admin/css/base.css')).status).toBe(200)
  expect((await live('/static/guestbook/none.css')).status).toBe(404)
  expect((await live('/static/../settings.py')).status).toBe(404)

  const alias = await ask(address, { host: `www.${liveHost}`, path: '/entries/?page=2' })
  expect([alias.status, alias.headers.location]).toEqual([301, `http://${liveHost}/entries/?page=2`])
  for (const host of ['unknown.example.com', address]) {
    await expect(ask(address, { host, path: '/' }), host).rejects.toThrow(/hang up|ECONNRESET/)
  }
})

chapter('a row is written and read, and an upload fetched, in the one instance that they were sent to', async () => {
  const entry = await addEntry(liveHost, 'Ada', png)
  expect((await addEntry(liveHost, 'Grace')).photo).toBeNull()
  await addEntry(stageHost, 'Only on stage', png)

  const { count, entries } = await content(liveHost)
  expect(count).toBe(2)
  expect(entries.map(({ author }) => author)).toEqual(['Grace', 'Ada'])
  expect((await live('/')).text).toContain('größer &amp; &lt;b&gt;')
  expect((await content(stageHost)).entries.map(({ author }) => author)).toEqual(['Only on stage'])

  expect(entry.photo).toMatch(/^\/uploads\/photos\/\d{4}\/\d{2}\/photo.*\.png$/)
  const photo = await live(entry.photo ?? '')
  expect([photo.status, photo.headers['content-type'], photo.body.equals(png)]).toEqual([200, 'image/png', true])
})

chapter('the form works as in a browser, with its cookie', async () => {
  const page = await stage('/')
  const cookie = page.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const token = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(page.text)?.[1] ?? ''
  const send = async (fields: Readonly<Record<string, string>>) => {
    const form = await multipart({ author: 'Browser', text: 'hello', ...fields })
    const headers = { ...form.headers, cookie, referer: `http://${stageHost}/`, origin: `http://${stageHost}` }
    return ask(address, { host: stageHost, path: '/entries/', method: 'POST', body: form.body, headers })
  }
  expect((await send({})).status).toBe(403)
  const sent = await send({ csrfmiddlewaretoken: token })
  expect([sent.status, sent.headers.location]).toEqual([302, '/'])
  expect((await stage('/')).text).toContain('2 visitors left')
})

chapter('a link that the application makes among its uploads leads nowhere', async () => {
  await inside(
    'live',
    'sh',
    '-c',
    'ln -s "$PWD/guestbook/settings.py" "$UPLOADS_PATH/link.txt"; echo fine >"$UPLOADS_PATH/file.txt"',
  )
  try {
    expect((await live('/uploads/file.txt')).text).toBe('fine\n')
    expect([403, 404]).toContain((await live('/uploads/link.txt')).status)
  } finally {
    await inside('live', 'sh', '-c', 'rm "$UPLOADS_PATH/link.txt" "$UPLOADS_PATH/file.txt"')
  }
})

chapter('run works in a pipe: exit code, input, output and errors, byte for byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7 + (index >> 8)) % 256))
  const ran = await story.kraft(['run:stage', '--', 'sh', '-c', 'cat; echo "it\'s said" >&2; exit 7'], { stdin: bytes })
  expect([ran.code, ran.stderr, ran.bytes.equals(bytes)]).toEqual([7, "it's said\n", true])

  const words = ["it's", '$HOME', 'a  b', '*', '', 'größe\n"x"']
  const said = await story.must(['run:stage', '--', 'python', '-c', 'import sys; print(sys.argv[1:])', ...words])
  expect(said.stdout).toBe(`["it's", '$HOME', 'a  b', '*', '', 'größe\\n"x"']\n`)

  const piped = await story.bash('set -o pipefail; kraft run:stage -- seq 1000000 | head -n 2; echo "$?"')
  expect([piped.stdout, piped.stderr]).toEqual(['1\n2\n141\n', ''])
  expect((await story.kraft(['run:stage', '--', 'no-such-command'])).code).toBe(127)
})

chapter('run has the environment of the project', async () => {
  const { stdout } = await story.must([
    'run:live',
    '--',
    'sh',
    '-c',
    'env; echo "user=$(id -un) $(id -Gn)"; pwd; command -v python',
  ])
  const release = (await live('/release')).text.trim()
  for (const line of [
    'DJANGO_SETTINGS_MODULE=guestbook.settings',
    'KRAFT_NAME=guestbook',
    'KRAFT_ENV=live',
    `KRAFT_RELEASE=${release}`,
    `DOMAIN=${liveHost}`,
    `ALLOWED_HOSTS=${liveHost},www.${liveHost}`,
    'DATABASE_URL=postgresql://guestbook@/guestbook?host=/var/run/postgresql',
    'UPLOADS_PATH=/web/guestbook/uploads',
    'user=guestbook guestbook',
    `/web/guestbook/releases/${release}`,
    `/web/guestbook/releases/${release}/.kraft/venv/bin/python`,
  ]) {
    expect(stdout.split('\n')).toContain(line)
  }
  const keys = [await inside('live', 'printenv', 'SECRET_KEY'), await inside('stage', 'printenv', 'SECRET_KEY')]
  expect(keys[0]).toMatch(/^\w{50,}$/)
  expect(keys[1]).not.toBe(keys[0])
  expect(await inside('live', 'manage.py', 'check')).toContain('no issues')
})

chapter("an instance reads and writes nothing of another's, nor its own code", async () => {
  const others = (await story.onNode('one', 'pgrep -u guestbook gunicorn | head -n 1')).trim()
  const socket = (await story.onNode('one', 'ls /run/web/guestbook/*.sock')).trim()
  expect(others).toMatch(/^\d+$/)
  const attempts: Readonly<Record<string, readonly [forbidden: string, control: string]>> = {
    code: ['cat /web/guestbook/current/manage.py', 'cat /web/guestbook-stage/current/manage.py'],
    folder: ['ls /web/guestbook', 'ls /web/guestbook-stage'],
    uploads: ['ls /web/guestbook/uploads', 'ls /web/guestbook-stage/uploads'],
    'log of the program': ['cat /web/guestbook/log/web', 'cat /web/guestbook-stage/log/web'],
    'log of visitors': ['cat /web/guestbook/log/nginx.access', 'grep release /web/guestbook-stage/log/nginx.access'],
    'logs of nginx': ['cat /var/log/nginx/error.log || cat /var/log/nginx/*guestbook*', 'true'],
    'generated secrets': ['cat /etc/kraftwerk/guestbook/generated', 'printenv SECRET_KEY'],
    'its own secrets, at rest': ['cat /etc/kraftwerk/guestbook-stage/generated', 'printenv SECRET_KEY'],
    environment: [`cat /proc/${others}/environ`, 'cat /proc/$$/environ'],
    process: [`kill -0 ${others}`, 'kill -0 $$'],
    socket: [
      `python -c "import socket; socket.socket(socket.AF_UNIX).connect('${socket}')"`,
      `python -c "import glob, socket; socket.socket(socket.AF_UNIX).connect(glob.glob('/run/web/guestbook-stage/*.sock')[0])"`,
    ],
    database: ['psql -d guestbook -c "SELECT 1"', 'psql -c "SELECT 1"'],
    "database as the other's role": ['psql -U guestbook -d guestbook -c "SELECT 1"', 'psql -c "SELECT 1"'],
    'database over TCP': ['psql -w -h 127.0.0.1 -U guestbook -d guestbook -c "SELECT 1"', 'true'],
    'a superuser': ['psql -U postgres -d postgres -c "SELECT 1"', 'true'],
    'writing code': ['touch /web/guestbook-stage/current/guestbook/x.py', 'touch "$UPLOADS_PATH/x" && rm "$UPLOADS_PATH/x"'],
    'writing the virtualenv': ['touch "$VIRTUAL_ENV/x"', 'test -d "$VIRTUAL_ENV"'],
    'the switch': ['ln -sfnT /tmp /web/guestbook-stage/current', 'readlink /web/guestbook-stage/current'],
  }
  const script = Object.entries(attempts).flatMap(([name, [forbidden, control]]) => [
    `if (${forbidden}) >/dev/null 2>&1; then echo "allowed: ${name}"; fi`,
    `if ! (${control}) >/dev/null 2>&1; then echo "control fails: ${name}"; fi`,
  ])
  expect(await inside('stage', 'bash', '-c', [...script, 'echo end'].join('\n'))).toBe('end')
})

chapter('a reload under load loses no request and starts the processes anew', async () => {
  const before = await story.onNode('one', 'readlink -f /web/guestbook/current/.kraft/live; pgrep -u guestbook gunicorn')
  const { reports } = await underLoad({ address, host: liveHost }, () => story.must(['reload:live']))
  flawless(reports, { fresh: 100, kept: 100, slow: 2 })
  expect(releasesSeen(reports)).toEqual([(await live('/release')).text.trim()])
  const after = await story.onNode('one', 'readlink -f /web/guestbook/current/.kraft/live; pgrep -u guestbook gunicorn')
  expect(after.split('\n').filter((line) => line !== '' && before.includes(line))).toEqual([])
})

chapter('a deploy of a changed release under load loses no request, and nothing goes back to the old one', async () => {
  const old = (await live('/release')).text.trim()
  const template = join(story.project, 'guestbook/templates/guestbook/index.html')
  await writeFile(template, (await readFile(template, 'utf8')).replace('<h1>Guestbook</h1>', '<h1>Second edition</h1>'))
  await appendFile(join(story.project, 'guestbook/static/guestbook/guestbook.css'), '/* second edition */\n')
  await commit('Second edition')
  const { result, reports } = await underLoad({ address, host: liveHost }, () => story.must(['deploy:live', '--json']))
  flawless(reports, { fresh: 100, kept: 100, slow: 2 })
  const { release, dirty }: { release: string; dirty: boolean } = JSON.parse(result.stdout)
  expect(dirty).toBe(false)
  expect(releasesSeen(reports)).toEqual([old, release])
  expect(backslides(reports, release)).toEqual([])
  expect((await live('/')).text).toContain('<h1>Second edition</h1>')
  expect((await live('/static/guestbook/guestbook.css')).text).toContain('/* second edition */')
  expect((await stage('/')).text).toContain('<h1>Guestbook</h1>')
})

for (const { what, changes, said } of [
  {
    what: 'code that does not import',
    changes: { 'guestbook/wsgi.py': (text: string) => `${text}\nraise RuntimeError("the story cannot be imported")\n` },
    said: ['The application does not start', 'RuntimeError: the story cannot be imported'],
  },
  {
    what: 'a health check that answers 500',
    changes: {
      'guestbook/views.py': (text: string) => text.replace('Entry.objects.exists()', 'raise LookupError("the story is unwell")'),
      'kraftwerk.yaml': (text: string) => text.replace('health: /healthz', 'health: { path: /healthz, tries: 3 }'),
    },
    said: ['answers /healthz with code 500', 'LookupError: the story is unwell'],
  },
  {
    what: "a health check that answers 400, as Django's DisallowedHost does",
    changes: {
      'kraftwerk.yaml': (text: string) => text.replace('environ:\n', 'environ:\n  ALLOWED_HOSTS: elsewhere.example.com\n'),
    },
    said: ['answers /healthz with code 400', `Invalid HTTP_HOST header: '${liveHost}'`],
  },
]) {
  chapter(`a deploy of ${what} fails under load without costing a request, says why, and leaves the node as it was`, async () => {
    const before = await nodeState(story, 'one')
    const serving = (await live('/release')).text.trim()
    const { result, reports } = await underLoad({ address, host: liveHost }, () =>
      withChanges(changes, () => story.kraft(['deploy:live'])),
    )
    expect(result.code, result.stderr).toBe(1)
    const message = result.stderr.slice(result.stderr.lastIndexOf('error: '))
    for (const words of said) expect(message).toContain(words)
    flawless(reports, { fresh: 100, kept: 100, slow: 2 })
    expect(releasesSeen(reports)).toEqual([serving])
    await isAsBefore(before)
  })
}

chapter('data that loses is asked about: without a terminal only --yes answers', async () => {
  const before = await nodeState(story, 'one')
  const { code, stderr } = await story.kraft(['destroy:stage'])
  expect([code, stderr.includes('--yes')]).toEqual([2, true])
  await isAsBefore(before)
})

chapter('dump writes one bundle; a damaged or wrong one is refused or taken back, and changes nothing', async () => {
  await story.must(['dump:stage', 'stage.bundle'])
  const bundle = join(story.project, 'stage.bundle')
  await addEntry(stageHost, 'After the dump', png)
  const rows = await content(stageHost)
  const state = await nodeState(story, 'one')
  const unchanged = async () => {
    expect(await content(stageHost)).toEqual(rows)
    await isAsBefore(state)
  }

  const whole = await readFile(bundle)
  const damaged = Buffer.from(whole)
  // In what zstd has packed.
  const middle = whole.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) + 200
  damaged.writeUInt8(damaged.readUInt8(middle) ^ 0xff, middle)
  for (const [name, bytes, why] of [
    ['damaged', damaged, 'postgres.dump.zst is damaged'],
    ['cut', whole.subarray(0, whole.length >> 1), 'cut off'],
  ] as const) {
    await writeFile(join(story.project, `${name}.bundle`), bytes)
    const refused = await story.kraft(['load:stage', `${name}.bundle`, '--yes'])
    expect([refused.code, refused.stderr.includes(why)], refused.stderr).toEqual([2, true])
  }
  await forgeBundle(bundle, join(story.project, 'foreign.bundle'), (manifest) => Object.assign(manifest, { project: 'shop' }))
  const foreign = await story.kraft(['load:stage', 'foreign.bundle', '--yes'])
  expect([foreign.code, foreign.stderr], foreign.stderr).toEqual([
    2,
    expect.stringMatching(/foreign.bundle holds the data of shop, and this is guestbook\n.*add --foreign/s),
  ])
  for (const [input, why] of [
    ['head -c "$(($(stat -c %s stage.bundle) / 2))" stage.bundle', 'This is no whole bundle: it is cut off'],
    ['cat damaged.bundle', 'postgres.dump.zst is damaged'],
    ['false', 'it is empty'],
  ] as const) {
    const piped = await story.bash(`${input} | kraft load:stage - --yes`)
    expect([piped.code, piped.stderr.includes(why)], piped.stderr).toEqual([2, true])
  }
  await unchanged()

  // Whole by its checksums, but not what it says: found out only when all of it is loaded beside.
  await forgeBundle(bundle, join(story.project, 'forged.bundle'), (manifest) => {
    const files = manifest.members.find(({ service }) => service === 'files')
    if (files !== undefined) Object.assign(files.counts, { files: 99 })
  })
  const forged = await story.kraft(['load:stage', 'forged.bundle', '--yes'])
  expect([forged.code, forged.stderr.includes('not what the manifest says')], forged.stderr).toEqual([1, true])
  await unchanged()

  // The database is swapped before the files; a folder that something is mounted on can't be renamed. Before, it would be seen.
  await story.onNode(
    'one',
    `systemd-run --quiet --unit stuck sh -c '
      cd /web/guestbook-stage; until [ -d .uploads.beside ]; do sleep 0.01; done; mount --bind uploads uploads'`,
  )
  try {
    const stuck = await story.kraft(['load:stage', 'stage.bundle', '--yes'])
    expect([stuck.code, stuck.stderr.includes('put back')], stuck.stderr).toEqual([1, true])
  } finally {
    await story.onNode('one', 'umount /web/guestbook-stage/uploads')
  }
  await unchanged()
})

essential('dump, destroy, deploy, load: the same rows and files, and new rows go on from there', async () => {
  const { entries } = await content(stageHost)
  const dumped = { count: 2, authors: ['Browser', 'Only on stage'] }
  expect(entries.map(({ author }) => author)).toEqual(['After the dump', ...dumped.authors])
  const before = await content(liveHost)
  await story.must(['destroy:stage', '--yes'])
  // nginx's former workers may answer for a moment.
  const gone = () => stage('/').then(({ status }) => status, String)
  await expect.poll(gone, { timeout: 10_000 }).toMatch(/hang up|ECONNRESET/)
  await story.must(['deploy:stage'])
  expect((await content(stageHost)).count).toBe(0)

  await story.must(['load:stage', 'stage.bundle', '--yes'])
  const loaded = await content(stageHost)
  expect(loaded.entries.map(({ author }) => author)).toEqual(dumped.authors)
  expect(loaded.entries).toEqual(entries.slice(1))
  expect(loaded.photos).toEqual([expect.stringContaining(` 200 ${createHash('sha256').update(png).digest('hex')}`)])
  expect((await addEntry(stageHost, 'Later', png)).photo).not.toBeNull()
  expect((await content(stageHost)).count).toBe(3)
  expect(await content(liveHost)).toEqual(before)

  const piped = await story.bash('set -o pipefail; kraft dump:live - | kraft load:stage - --yes')
  expect([piped.code, (await content(stageHost)).entries], piped.stderr).toEqual([0, before.entries])
  expect(await content(liveHost)).toEqual(before)
})

chapter('after a reboot both sites answer again with their current release', async () => {
  const releases = [(await stage('/release')).text, (await live('/release')).text]
  const boot = 'cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic --value'
  const before = await story.onNode('one', boot)
  await story.kraft(['run:one', '--', 'systemctl', 'reboot'], { cwd: story.home })
  const after = async () => story.onNode('one', boot).catch(() => before)
  await expect.poll(after, { timeout: 60_000, interval: 500 }).not.toBe(before)
  const answers = () =>
    Promise.all([stage('/release'), live('/release')]).then(
      (both) => both.map(({ text }) => text),
      (error: unknown) => String(error),
    )
  await expect.poll(answers, { timeout: 60_000, interval: 500 }).toEqual(releases)
  await pause(6000)
  // runit looks every five seconds, so that by now a generation that should not run would have been started.
  const sockets = await story.onNode('one', 'ls /run/web/guestbook /run/web/guestbook-stage; ls /etc/service/ | grep guestbook')
  expect(sockets.match(/\.sock$/gm)).toHaveLength(2)
  expect(sockets.match(/^guestbook.*\.web\./gm)).toHaveLength(2)
  expect((await content(liveHost)).count).toBe(2)
})

chapter('logs are rotated, and those that were are not rotated again', async () => {
  const rotate = 'logrotate -f /etc/logrotate.d/kraftwerk-guestbook'
  const script = `cd /web/guestbook/log; for again in 1 2; do echo x >>web; ${rotate}; done; ls -A; ls .old | grep web`
  expect(await story.onNode('one', script)).toBe('.old\nkraft\nnginx.access\nnginx.error\nweb.1\nweb.2.gz\n')
})

chapter('destroy leaves nothing', async () => {
  for (const target of ['stage', 'live']) await story.must([`destroy:${target}`, '--yes'])
  await expect.poll(() => leftBehind(story, 'one', bare), { timeout: 15_000, interval: 1000 }).toEqual([])
})

chapter('terminate removes the node', async () => {
  const id = /^ {2}id: (kraft-\w+)$/m.exec(await readFile(join(story.home, '.kraftwerk/nodes.yaml'), 'utf8'))?.[1] ?? 'no id'
  expect((await story.bash('ip netns list')).stdout).toContain(id)
  await story.must(['terminate:one', '--yes'], { cwd: story.home })
  expect(JSON.parse((await story.must(['nodes', '--json'], { cwd: story.home })).stdout)).toEqual([])
  expect((await story.bash('ip netns list; ip -o link')).stdout).not.toContain(id)
})
