import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quote } from '../../engine/shell/sh.js'
import { writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// Two projects on one node: ann's program was broken into, and whoever did it tries every door of bob's.
let story: Story
let address: string
/** What only bob's own may read. */
const treasure = 'bob-keeps-this-to-himself'

const filesOf = (name: string) => ({
  'kraftwerk.yaml': `wsgi: ${name}.wsgi:application
domain: ${name}.example.com
packages: []
workers: 1
services: [postgres, files]
shared: [media, ${name}/static/made]
environ: { TOKEN: ${name === 'bob' ? treasure : 'of-ann'} }
processes: { waiter: sleep 1000 }
environments: { live: { nodes: [one] } }
`,
  [`${name}/__init__.py`]: '',
  [`${name}/static/${name}.txt`]: 'static',
  [`${name}/wsgi.py`]: `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_NAME'].encode()]
# ${name === 'bob' ? treasure : ''}
`,
})

const folder = (name: string) => join(story.home, name)
const kraft = (name: string, ...args: string[]) => story.must(args, { cwd: folder(name) })
/** Runs bash as an instance, in its environment. */
const as = async (name: string, script: string) =>
  (await kraft(name, 'run:live', '--', 'bash', '-c', script)).stdout.replace(/\n$/, '')
const asRoot = (script: string) => story.onNode('one', script)
const page = (name: string, path: string) => ask(address, { host: `${name}.example.com`, path })

beforeAll(async () => {
  story = await beginStory('httpbin')
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  for (const name of ['ann', 'bob']) {
    await writeFiles(folder(name), filesOf(name))
    await kraft(name, 'deploy:live')
  }
  await as(
    'bob',
    `for place in "$UPLOADS_PATH" /web/bob/shared/media ~ /tmp /dev/shm; do echo ${treasure} >"$place/bob.txt"; done
     echo "SELECT pg_sleep(500) /* ${treasure} */" >~/query
     psql -qc "CREATE TABLE kept AS SELECT '${treasure}' AS what"`,
  )
  await page('bob', '/')
  // A client of bob's that stays connected, with something in its query that is not for others.
  await asRoot('systemd-run --quiet --uid=bob --gid=bob psql -d bob -f /web/bob/home/query')
})
afterAll(() => story?.remove())

interface Door {
  /** What is tried, in bash. */
  readonly attempt: string
  /** What the refusal says. */
  readonly refused: RegExp
  /**
   * The same attempt succeeds for whoever may do it, or this one in its place does: else the refusal could have any other reason.
   */
  readonly control: 'bob' | 'root' | { readonly as: 'bob' | 'root'; readonly attempt: string }
}

const denied = /Permission denied|Operation not permitted/
const read = (path: string, control: Door['control'] = 'bob'): Door => ({ attempt: `cat ${path}`, refused: denied, control })
const list = (path: string, control: Door['control'] = 'bob'): Door => ({ attempt: `ls ${path}`, refused: denied, control })
// Opened for writing and left as it is.
const write = (path: string, control: Door['control'] = 'root'): Door => ({ attempt: `: >>${path}`, refused: denied, control })
const make = (path: string, control: Door['control'] = 'root'): Door => ({
  attempt: `mkdir ${path}/new && rmdir ${path}/new`,
  refused: denied,
  control,
})
const run = (attempt: string, refused: RegExp, control: Door['control']): Door => ({ attempt, refused, control })
const master = '"$(pgrep -o -u bob gunicorn)"'
const psql = (words: string) => `psql -XAtqw ${words} -c 'SELECT 1'`
const asPostgres = (words: string) => ({ as: 'root' as const, attempt: `runuser -u postgres -- ${psql(words)}` })

const doorsOfBob: Readonly<Record<string, Door>> = {
  'the folder': list('/web/bob'),
  'code through the link': read('/web/bob/current/bob/wsgi.py'),
  releases: list('/web/bob/releases'),
  'code, to write': write('/web/bob/current/bob/wsgi.py'),
  virtualenvs: list('/web/bob/venvs'),
  'virtualenvs, to write': make('/web/bob/venvs'),
  uploads: read('/web/bob/uploads/bob.txt'),
  'uploads, to write': make('/web/bob/uploads', 'bob'),
  shared: read('/web/bob/shared/media/bob.txt'),
  'shared, to write': make('/web/bob/shared/media', 'bob'),
  home: read('/web/bob/home/bob.txt'),
  'home, to write': make('/web/bob/home', 'bob'),
  "the program's log": list('/web/bob/log/web'),
  "the visitors' log": read('/web/bob/log/nginx.access'),
  'errors of nginx': list('/web/bob/log/nginx.error'),
  dumps: list('/web/bob/dump', 'root'),
  environment: read('/web/bob/current/.kraft/live/env', 'root'),
  'settings of kraft': list('/etc/kraftwerk/bob', 'root'),
  'generated secrets': read('/etc/kraftwerk/bob/generated', 'root'),
  'the way in': run('/etc/kraftwerk/bob/enter true', denied, 'root'),
  'settings of kraft, to write': make('/etc/kraftwerk', 'root'),
  "nginx's settings": read('/etc/nginx/sites-enabled/bob.conf', 'root'),
  "nginx's settings, to write": make('/etc/nginx/sites-enabled', 'root'),
  "nginx's own log": run('cat /var/log/nginx/access.log', /Permission denied|No such file/, {
    as: 'root',
    attempt: 'test -d /var/log/nginx',
  }),
  'rules of logrotate, to write': write('/etc/logrotate.d/kraftwerk-bob'),
  'run scripts': run('cat "$(echo /etc/sv/bob.web.*)/run"', denied, 'root'),
  'run scripts of processes': read('/etc/sv/bob.process.waiter.1/run', 'root'),
  'run scripts, to write': make('/etc/service', 'root'),
  supervision: run('sv status /etc/service/bob.process.waiter.1', /access denied|unable to/, 'root'),
  "the supervisor's pipe": write('/etc/sv/bob.process.waiter.1/supervise/control'),
  sockets: list('/run/web/bob'),
  'the socket, by connecting': run(
    'curl -sS --max-time 5 --unix-socket /run/web/bob/*.sock http://bob/',
    /Could ?n.t connect|Failed/i,
    'bob',
  ),
  'the socket, through the link': run(
    'curl -sS --max-time 5 --unix-socket /web/bob/current/.kraft/live/web.sock http://bob/',
    /Could ?n.t connect|Failed/i,
    'bob',
  ),
  'marks of generations on trial': list('/run/web/.trial', 'root'),
  'the database': run(psql('-d bob'), /permission denied for database/, 'bob'),
  "the database, as bob's role": run(psql('-U bob -d bob'), /Peer authentication failed/, 'bob'),
  'the database, over TCP': run(psql('-h 127.0.0.1 -U bob -d bob'), /no password supplied/, {
    as: 'bob',
    attempt: psql('-h /var/run/postgresql -U bob -d bob'),
  }),
  'the superuser': run(psql('-U postgres -d bob'), /Peer authentication failed/, asPostgres('-d bob')),
  'the database postgres': run(psql('-d postgres'), /permission denied for database/, asPostgres('-d postgres')),
  'the database template1': run(psql('-d template1'), /permission denied for database/, asPostgres('-d template1')),
  'the database template0': run(psql('-d template0'), /not currently accepting connections/, asPostgres('-d template1')),
  "bob's role": run(`psql -XAtqc 'SET ROLE bob'`, /permission denied to set role/, 'bob'),
  'a database of its own making': run('createdb -w mine', /permission denied|connection to server/, {
    as: 'root',
    attempt: 'runuser -u postgres -- createdb mine && runuser -u postgres -- dropdb mine',
  }),
  'files of the database server': list('/var/lib/postgresql/*/main', 'root'),
  'environment of its processes': read(`/proc/${master}/environ`),
  'open files of its processes': list(`/proc/${master}/fd`),
  'memory of its processes': read(`/proc/${master}/maps`),
  'working folder of its processes': list(`/proc/${master}/cwd/`),
  'signals to its web process': run(`kill -0 ${master}`, denied, 'bob'),
  'signals to its other processes': run('kill -0 "$(pgrep -o -u bob sleep)"', denied, 'bob'),
  'the heartbeat file of its workers': run(
    `for file in $(ls -l /proc/${master}/fd | sed -n 's/.* \\([0-9]*\\) -> .*wgunicorn.*/\\1/p'); do echo found; : >>/proc/${master}/fd/$file; done | grep found`,
    denied,
    'bob',
  ),
  'files in /tmp': read('/tmp/bob.txt'),
  'files in /tmp, to truncate': write('/tmp/bob.txt', 'bob'),
  'files in /dev/shm': read('/dev/shm/bob.txt'),
  'files in /dev/shm, to truncate': write('/dev/shm/bob.txt', 'bob'),
  'files in /dev/shm, to take over': run('chmod 0640 /dev/shm/bob.txt', denied, 'bob'),
  'scripts of kraft': list('/run/kraftwerk', 'root'),
  'the lock of scripts': run('flock -n /run/kraftwerk/lock true', denied, 'root'),
  'locks of instances': list('/var/lib/kraftwerk/locks', 'root'),
  'its lock, to hold it for ever': run('flock -n /var/lib/kraftwerk/locks/bob.held true', denied, 'root'),
  'handlers that are due': make('/var/lib/kraftwerk', 'root'),
  'crontabs of the node': make('/etc/cron.d', 'root'),
  'its group': run('setpriv --regid bob --clear-groups true', denied, 'root'),
  'its user': run('setpriv --reuid bob true', denied, 'root'),
  sudo: run('sudo -n true', /not found|password is required|not in the sudoers/, { as: 'root', attempt: 'true' }),
}

// Its own, that a break-in must not outlive.
const doorsOfAnn: Readonly<Record<string, Door>> = {
  'its code': write('/web/ann/current/ann/wsgi.py'),
  'new code': make('/web/ann/current/ann'),
  'a new release': make('/web/ann/releases'),
  'the switch': run('ln -sfn nowhere /web/ann/new', denied, {
    as: 'root',
    attempt: 'ln -sfn nowhere /web/ann/new; rm /web/ann/new',
  }),
  'its virtualenv': write('/web/ann/current/.kraft/venv/bin/gunicorn'),
  'a new package': run(
    'for folder in /web/ann/current/.kraft/venv/lib/python*/site-packages; do mkdir "$folder/new" && rmdir "$folder/new"; done',
    denied,
    'root',
  ),
  'a new virtualenv': make('/web/ann/venvs'),
  'programs on its PATH': make('/web/ann/current/.kraft/bin'),
  'its environment, at rest': read('/web/ann/current/.kraft/live/env', 'root'),
  'its environment, to write': write('/web/ann/current/.kraft/live/env'),
  'its static files': make('/web/ann/current/.kraft/public/static'),
  'its log': write('/web/ann/log/web'),
  'its socket': run('ln -sfn /run/web/bob/*.sock /run/web/ann/new.sock', denied, { as: 'root', attempt: 'test -d /run/web/ann' }),
  'its run script': run('for script in /etc/sv/ann.*/run /etc/sv/ann.process.waiter.1/run; do : >>"$script"; done', denied, {
    as: 'root',
    attempt: ': >>/etc/sv/ann.process.waiter.1/run',
  }),
  'its generated secrets': read('/etc/kraftwerk/ann/generated', 'root'),
}

type Ended = Readonly<Record<string, { readonly code: number; readonly said: string }>>

/** Tries all in one go and says how each ended. */
async function tried(who: string, attempts: Readonly<Record<string, string>>): Promise<Ended> {
  if (Object.keys(attempts).length === 0) return {}
  const each = Object.entries(attempts).map(
    ([name, attempt]) =>
      `said=$(timeout 10 bash -c ${quote(attempt)} 2>&1 </dev/null); printf '%s\\1%s\\1%s\\2' ${quote(name)} "$?" "$said"`,
  )
  const script = `export LC_ALL=C; { ${each.join('\n')}\n} | tr -d '\\0'`
  const printed = who === 'root' ? await asRoot(`exec bash -c ${quote(script)}`) : await as(who, script)
  const rows = printed.split('\u0002').map((row) => row.split('\u0001'))
  return Object.fromEntries(
    rows.flatMap(([name, code, said = '']) => (code === undefined ? [] : [[name, { code: Number(code), said }]])),
  )
}

async function tryDoors(doors: Readonly<Record<string, Door>>): Promise<void> {
  const attempts = Object.fromEntries(Object.entries(doors).map(([name, { attempt }]) => [name, attempt]))
  const refused = await tried('ann', attempts)
  const open = Object.entries(doors).flatMap(([name, door]) => {
    const { code, said } = refused[name] ?? { code: Number.NaN, said: 'was not tried' }
    return code !== 0 && door.refused.test(said) && !said.includes(treasure) ? [] : [`${name}: code ${code}, ${said}`]
  })
  expect(open).toEqual([])
  const controls: Record<'bob' | 'root', Record<string, string>> = { bob: {}, root: {} }
  for (const [name, { attempt, control }] of Object.entries(doors)) {
    if (typeof control === 'string') controls[control][name] = attempt
    else controls[control.as][name] = control.attempt
  }
  for (const who of ['bob', 'root'] as const) {
    const ended = Object.entries(await tried(who, controls[who]))
    expect(ended.length).toBe(Object.keys(controls[who]).length)
    expect(ended.filter(([, { code }]) => code !== 0)).toEqual([])
  }
}

test("ann fails at every door of bob's, through which bob or root goes", () => tryDoors(doorsOfBob))

test('ann changes nothing of her own that would outlive a break-in, and root does', () => tryDoors(doorsOfAnn))

test('a program that a package puts first on PATH is never run by root', async () => {
  const bin = '/web/ann/current/.kraft/venv/bin'
  await asRoot(
    `for name in setpriv readlink env; do printf '#!/bin/sh\\nid -un >>/tmp/ran\\n' >${bin}/$name && chmod 0755 ${bin}/$name; done`,
  )
  expect(await as('ann', 'command -v setpriv; id -un')).toMatch(/\/venv\/bin\/setpriv\nann$/)
  expect(await asRoot('cat /tmp/ran 2>/dev/null || echo nobody')).toBe('nobody\n')
  await as('ann', 'setpriv')
  expect(await asRoot('cat /tmp/ran')).toBe('ann\n')
  await asRoot(`cd ${bin} && rm setpriv readlink env`)
})

describe('what everybody may look at', () => {
  test('tells no secret: command lines, statements of the database', async () => {
    const said = await as(
      'ann',
      `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; psql -XAtc "SELECT usename, query FROM pg_stat_activity WHERE datname = 'bob'"`,
    )
    // Those of others are among them.
    expect(said).toContain('/web/bob/')
    expect(said).toContain('bob|<insufficient privilege>')
    expect(said).not.toContain(treasure)
    const secret = (await asRoot('cat /etc/kraftwerk/bob/generated')).match(/'(\w{50,})'/)?.[1] ?? 'none'
    expect(secret).not.toBe('none')
    expect(said).not.toContain(secret)
  })
})

describe('a link that ann makes is followed by nobody who may more than she', () => {
  test('not by nginx in uploads, static files that outlive releases, and what a build makes', async () => {
    const made = '/web/ann/shared/ann/static/made'
    await as(
      'ann',
      `cd "$UPLOADS_PATH"; echo own >own.txt; ln -s /web/bob/uploads/bob.txt link.txt; ln -s /web/bob/uploads folder
       cd ${made}; echo own >own.txt; ln -s own.txt own-link.txt; ln -s /web/bob/current/bob/wsgi.py code.txt
       ln -s /web/bob/uploads folder; ln -s /web/bob/uploads/bob.txt upload.txt`,
    )
    await asRoot(
      'setpriv --reuid ann-build --regid ann --clear-groups ln -s /web/bob/current/bob/wsgi.py /web/ann/current/.kraft/public/static/built.txt',
    )
    // nginx itself may read all of it.
    expect(await asRoot('runuser -u www-data -- cat /web/bob/uploads/bob.txt /web/bob/current/bob/wsgi.py')).toContain(treasure)
    for (const path of ['/uploads/own.txt', '/static/made/own.txt', '/static/made/own-link.txt']) {
      expect(await page('ann', path)).toMatchObject({ status: 200, text: 'own\n' })
    }
    expect(await page('ann', '/static/ann.txt')).toMatchObject({ status: 200, text: 'static' })
    for (const path of ['/uploads/link.txt', '/uploads/folder/bob.txt']) {
      expect([403, 404]).toContain((await page('ann', path)).status)
    }
    for (const path of ['made/code.txt', 'made/folder/bob.txt', 'made/upload.txt', 'built.txt']) {
      expect((await page('ann', `/static/${path}`)).text).toBe('ann')
    }
  })

  test('not by root in a dump, a deploy, a load and destroy', async () => {
    await as(
      'ann',
      `cd /web/ann/shared && rm -rf media && ln -s /web/bob/uploads media
       cd ~ && ln -s /web/bob/uploads uploads && cd "$UPLOADS_PATH" && ln -s /etc/kraftwerk/bob/generated secrets`,
    )
    const looks = () =>
      asRoot(
        'cd /web/bob && find . /etc/kraftwerk/bob /var/lib/postgresql/*/main/global/pg_filenode.map -printf "%p %u:%g %m %s %l\\n" | grep -v "log/\\|/home" | sort',
      )
    const before = await looks()
    await kraft('ann', 'dump:live', 'ann.bundle')
    const tar = promisify(execFile)
    const member = await tar('sh', ['-c', 'tar -xOf ann.bundle files.tar | tar -tvf -'], { cwd: folder('ann') })
    expect(member.stdout).toContain('./link.txt -> /web/bob/uploads/bob.txt')
    const all = await tar('sh', ['-c', 'tar -xOf ann.bundle files.tar'], { cwd: folder('ann') })
    expect(all.stdout).toContain('own\n')
    expect(all.stdout).not.toContain(treasure)
    expect(all.stdout).not.toContain('SECRET_KEY')
    await kraft('ann', 'deploy:live')
    await kraft('ann', 'load:live', 'ann.bundle', '--yes')
    expect(await looks()).toBe(before)
    await kraft('ann', 'destroy:live', '--yes')
    expect(await looks()).toBe(before)
    expect((await page('bob', '/')).text).toBe('bob')
    expect((await page('bob', '/uploads/bob.txt')).text).toBe(`${treasure}\n`)
    expect(await as('bob', `psql -XAtc 'SELECT what FROM kept'`)).toBe(treasure)
  })
})
