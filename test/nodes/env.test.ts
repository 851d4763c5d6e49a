import { randomBytes } from 'node:crypto'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quote } from '../../engine/shell/sh.js'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { callKraft } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { kraftInTerminal } from '../rig/terminal.js'
import { watchProcesses } from '../rig/watch-processes.js'

// Of this run alone: what is searched for on this machine may be somebody else's test.
const word = `h1dden${randomBytes(4).toString('hex')}`
const hidden = `${word}-`

const yaml = `name: vane
wsgi: vane.wsgi:application
workers: 1
packages: []
health: { path: /KRAFT_NAME, tries: 2, timeout: 2, status: 200 }
environ: { FROM_YAML: yaml, BOTH: yaml, THREE: yaml }
environments: { stage: { nodes: [one, two], environ: { STAGED: 1 } } }
`
const files: Files = {
  'kraftwerk.yaml': yaml,
  '.gitignore': '.env\n',
  'vane/__init__.py': '',
  // Answers a variable's value as it is. One that fails on a marked node fails there alone.
  'vane/wsgi.py': `import os
def application(environ, start_response):
    broken = 'HALF' in os.environ and os.path.exists('/etc/broken')
    value = os.environb.get(environ['PATH_INFO'][1:].encode())
    status = '500 Broken' if broken else '404 Not Found' if value is None else '200 OK'
    start_response(status, [('Content-Type', 'application/octet-stream')])
    return [value or b'']
if 'BROKEN' in os.environ:
    raise LookupError('broken by ' + os.environ['BROKEN'])
`,
}

let story: Story
let project: string
let outputs = ''
const nodes = ['one', 'two'] as const
const address: Record<string, string> = {}
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'vane')
  await writeFiles(project, files)
  await provisionPrepared(story, nodes)
  for (const name of nodes) address[name] = await story.address(name)
})
afterAll(() => story?.remove())

/** Calls kraft; what it says is kept for the search at the end. */
async function kraft(
  args: readonly string[],
  { env = {}, stdin = '' }: { env?: NodeJS.ProcessEnv; stdin?: string | Buffer } = {},
) {
  const ran = await callKraft(args, { cwd: project, env: { ...story.env, ...env }, stdin })
  outputs += `${ran.stdout}\n${ran.stderr}\n`
  return ran
}
async function must(args: readonly string[], options?: Parameters<typeof kraft>[1]) {
  const ran = await kraft(args, options)
  expect(ran.code, `${args.join(' ')}\n${ran.stderr}`).toBe(0)
  return ran
}
/** What the application on each node finds: the same on both, or each. */
async function found(name: string): Promise<Buffer | undefined> {
  const [one, two] = await Promise.all(
    nodes.map(async (node) => {
      const { status, body } = await ask(address[node] ?? '', { host: address[node] ?? '', path: `/${name}` })
      return status === 200 ? body : undefined
    }),
  )
  expect(two).toEqual(one)
  return one
}
const text = async (name: string) => (await found(name))?.toString()
const stored = async () =>
  Promise.all(nodes.map((node) => story.onNode(node, 'cat /etc/kraftwerk/vane/environ* 2>/dev/null | sha256sum')))
const pids = () => Promise.all(nodes.map((node) => story.onNode(node, "pgrep -f '[g]unicorn --name vane' | sort | head -n 1")))

const odd = Buffer.concat([
  Buffer.from(`${hidden}line\n'quoted' "$HOME" \`id\` \\\n\nB='x'\n`),
  Buffer.from([1, 27, 128, 255, 254, 13]),
])

test('what is set before the first deploy is there in it, byte for byte', async () => {
  const set = await must(['env:stage', 'set', 'ODD=-', 'BOTH=node', 'THREE=node'], {
    stdin: Buffer.concat([odd, Buffer.from('\n')]),
  })
  expect(set.stdout).toBe('ODD, BOTH, THREE are set for vane, and the next deploy or reload takes it up\n')
  await must(['deploy:stage'])
  expect(await found('ODD')).toEqual(odd)
  expect([await text('FROM_YAML'), await text('BOTH')]).toEqual(['yaml', 'node'])
})

test('set starts the processes anew beside the old, and run finds it too', async () => {
  const before = await pids()
  const { result: set, seen } = await watchProcesses(`${hidden}api`, () =>
    must(['env:stage', 'set', '--from-stdin', '--verbose'], {
      stdin: `# of a .env file\nAPI_KEY='${hidden}api'\nexport MODE="a b"\n`,
    }),
  )
  expect(seen).toBe('')
  expect(set.stdout).toBe('API_KEY, MODE are set for vane, and its processes run with that\n')
  expect([await text('API_KEY'), await text('MODE'), await found('ODD')]).toEqual([`${hidden}api`, 'a b', odd])
  expect((await pids()).filter((pid, index) => pid === before[index])).toEqual([])
  expect((await story.must(['run:stage', '--', 'printenv', 'MODE'], { cwd: project })).stdout).toBe('a b\n')
  const again = await must(['env:stage', 'set', 'MODE=a b', '--json'])
  expect(JSON.parse(again.stdout)).toEqual({ set: ['MODE'], unset: [], changed: false, reloaded: false })
})

test('list tells names and where each comes from, values only where they are asked for', async () => {
  const rows: { name: string; from: string; value?: string }[] = JSON.parse((await must(['env:stage', '--json'])).stdout)
  const from = Object.fromEntries(rows.map((row) => [row.name, row.from]))
  expect(from).toMatchObject({
    API_KEY: 'set on the node',
    BOTH: 'set on the node',
    FROM_YAML: 'kraftwerk.yaml',
    STAGED: 'kraftwerk.yaml, stage',
    KRAFT_NAME: 'kraft',
    SECRET_KEY: 'made on the node, which it never leaves',
  })
  expect(rows.some(({ value }) => value !== undefined)).toBe(false)
  expect((await must(['env:stage'])).stdout).toMatch(/^NAME +FROM\nALLOWED_HOSTS +kraft\nAPI_KEY +set on the node\n/)
  const shown = await callKraft(['env:stage', 'list', '--show'], { cwd: project, env: story.env })
  expect(shown.stdout).toMatch(new RegExp(`^API_KEY +${hidden}api +set on the node$`, 'm'))
  expect(shown.stderr).not.toContain(hidden)
})

test('what was typed for one call wins over the node, which wins over kraftwerk.yaml', async () => {
  await must(['reload:stage'], { env: { KRAFT_ENVIRON: '{ THREE: typed }' } })
  expect([await text('THREE'), await text('BOTH')]).toEqual(['typed', 'node'])
  await must(['reload:stage'])
  expect(await text('THREE')).toBe('node')
})

test('what does not boot leaves processes and values as they were, on all nodes', async () => {
  const before = [await stored(), await pids()]
  const boot = await kraft(['env:stage', 'set', `BROKEN=${hidden}boot`, 'MODE=other'])
  expect(boot.code).toBe(1)
  expect(failure(boot.stderr)).toContain('LookupError: broken by [secret]')
  expect(failure(boot.stderr)).toContain('What is set on the node is what it was before')
  await story.onNode('two', 'touch /etc/broken')
  const half = await kraft(['env:stage', 'set', 'HALF=1'])
  await story.onNode('two', 'rm /etc/broken')
  expect([half.code, failure(half.stderr)]).toEqual([1, expect.stringContaining('What is set on the node is what it was before')])
  expect([await stored(), await pids()]).toEqual(before)
  expect([await text('BROKEN'), await text('HALF'), await text('MODE')]).toEqual([undefined, undefined, 'a b'])
})

test('--no-reload only stores, which list tells, and the next reload takes it up', async () => {
  await must(['env:stage', 'set', 'LATER=1', '--no-reload'])
  await must(['env:stage', 'unset', 'MODE', '--no-reload'])
  expect([await text('LATER'), await text('MODE')]).toEqual([undefined, 'a b'])
  const listed = await must(['env:stage', '--json'])
  expect(listed.stderr).toContain('LATER, MODE: the processes take that up with the next reload or deploy')
  expect(JSON.parse(listed.stdout)).toContainEqual({ name: 'LATER', from: 'set on the node', inUse: false })
  await must(['reload:stage'])
  expect([await text('LATER'), await text('MODE')]).toEqual(['1', undefined])
  await must(['env:stage', 'unset', 'LATER'])
  expect(await text('LATER')).toBeUndefined()
})

test('a value is asked for without being shown', async () => {
  const terminal = await kraftInTerminal(['env:stage', 'set', 'ASKED', '--no-reload'], { cwd: project, env: story.env })
  try {
    await terminal.sees('ASKED')
    terminal.type(`${hidden}asked\r`)
    await terminal.sees('ASKED is set for vane')
    expect([await terminal.ended(), terminal.seen().includes(hidden)]).toEqual([0, false])
  } finally {
    terminal.kill()
  }
  const without = await kraft(['env:stage', 'set', 'ASKED'])
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('There is no terminal to ask for ASKED on')])
})

test('the history has who, when and which names, and no values', async () => {
  const entries = JSON.parse((await must(['env:stage', 'list', '--history', '--json'])).stdout)
  const what = entries.map((entry: { set: string[]; unset: string[] }) => [
    ...entry.set,
    ...entry.unset.map((name) => `-${name}`),
  ])
  expect(what).toEqual([['ODD', 'BOTH', 'THREE'], ['API_KEY', 'MODE'], ['LATER'], ['-MODE'], ['-LATER'], ['ASKED']])
  for (const { at, by } of entries)
    expect([at, by]).toEqual([expect.stringMatching(/^\d{4}-.*Z$/), expect.stringMatching(/^.+@.+$/)])
})

test('pull writes a .env file that only its owner reads, and only where nothing takes it along', async () => {
  const open = await kraft(['env:stage', 'pull', 'vane/values'])
  expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('nothing keeps it out of a commit or a deploy')])
  await must(['env:stage', 'pull', '.env'])
  expect(((await stat(join(project, '.env'))).mode & 0o777).toString(8)).toBe('600')
  const written = await readFile(join(project, '.env'))
  expect(written.toString()).toContain(`API_KEY=${hidden}api\n`)
  const again = await kraft(['env:stage', 'pull', '.env'])
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('.env is there already')])
  const replace = async (answer: string) => {
    const terminal = await kraftInTerminal(['env:stage', 'pull', '.env'], { cwd: project, env: story.env })
    await terminal.sees('Replace .env?')
    terminal.type(answer)
    return terminal.ended()
  }
  await writeFile(join(project, '.env'), 'MINE=1\n')
  expect([await replace('n'), await readFile(join(project, '.env'), 'utf8')]).toEqual([130, 'MINE=1\n'])
  expect([await replace('y'), await readFile(join(project, '.env'))]).toEqual([0, written])
  const back = await must(['env:stage', 'set', '--from-stdin', '--no-reload', '--json'], { stdin: written })
  expect(JSON.parse(back.stdout).changed).toBe(false)
  await rm(join(project, '.env'))
})

test('a dry run names what it would do, and does nothing', async () => {
  const before = [await stored(), await pids()]
  const set = await must(['env:stage', 'set', `API_KEY=${hidden}dry`, '--dry-run', '--debug'])
  expect(set.stdout).toBe('Would set API_KEY for vane\n')
  expect(set.stderr).toMatch(/Set API_KEY \(would change\)/)
  expect((await must(['env:stage', 'pull', '.env', '--dry-run'])).stdout).toContain(
    'Would write ODD, BOTH, THREE, API_KEY, ASKED of vane to ',
  )
  expect([await stored(), await pids()]).toEqual(before)
})

test.each([
  [['set', `PATH=${hidden}x`], '"PATH" is made by kraft'],
  [['set', `LD_PRELOAD=${hidden}x`], "is for the system's loader"],
  [['set', `KRAFT_NAME=${hidden}x`], "those are kraft's own"],
  [['set'], 'Say what to set'],
  [['unset', 'API_KAY'], 'API_KAY is not set on the node. Did you mean "API_KEY"?'],
  [[`API_KEY=${hidden}x`], 'VERB is one of list, set, unset, pull; got "API_KEY=…"'],
  [['list', '--no-reload'], '--no-reload means nothing to env list; it goes with set, unset'],
  [['set', 'A=1', '--show'], '--show means nothing to env set'],
])('env %j is refused with a reason', async (args, why) => {
  const { code, stdout, stderr } = await kraft(['env:stage', ...args])
  expect([code, stdout, failure(stderr)]).toEqual([2, '', expect.stringContaining(why)])
})

test('what is kept is data: root runs nothing that stands there', async () => {
  const path = '/etc/kraftwerk/vane/environ'
  await story.onNode('two', `cp -p ${path} ${path}.good; printf "X='1'\\nY=\\$(touch /tmp/ran)\\n" >>${path}`)
  const reload = await kraft(['reload:stage'])
  expect([reload.code, failure(reload.stderr)]).toEqual([1, expect.stringMatching(/line \d+ of .*environ is not NAME='value'/)])
  expect(failure((await kraft(['env:stage'])).stderr)).toMatch(/Line \d+ of \/etc\/kraftwerk\/vane\/environ is not NAME='value'/)
  expect(await story.onNode('two', `mv ${path}.good ${path}; ls /tmp/ran 2>/dev/null || echo none`)).toBe('none\n')
})

test('no value is in any output, nor anywhere on a node but in files of root with mode 0600', async () => {
  expect(outputs).toContain('API_KEY')
  expect(outputs).not.toContain(hidden)
  const rows = await story.onNode(
    'one',
    `grep -rlaI -- '${word}[-]' / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev 2>/dev/null | while read -r path; do
      stat -c '%U %a %n' "$path"
    done; journalctl --no-pager 2>/dev/null | grep -c -- '${word}[-]' | sed 's/^/journal /'`,
  )
  const found = rows.trim().split('\n')
  expect(found).toContain('root 600 /etc/kraftwerk/vane/environ')
  expect(found.at(-1)).toBe('journal 0')
  // The application wrote one to its own log.
  const others = found
    .slice(0, -1)
    .filter((row) => !/^root 600 (\/etc\/kraftwerk\/vane\/|\/web\/vane\/releases\/.*\/env\.kept$)/.test(row))
  expect(others).toEqual([expect.stringMatching(/ 640 \/web\/vane\/log\/web$/)])
})

describe('values from vaults', () => {
  const bin = () => join(story.home, 'bin')
  const calls = async () => (await readFile(join(story.home, 'calls'), 'utf8').catch(() => '')).trim().split('\n').sort()
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    const aws = JSON.stringify(JSON.stringify({ key: `${hidden}aws` }))
    const bw = JSON.stringify({ login: { password: `${hidden}bw` }, fields: [{ name: 'pin', value: `${hidden}pin` }] })
    const program = (then: string) => `#!/bin/sh\necho "$(basename "$0") $*" >>${quote(join(story.home, 'calls'))}\n${then}\n`
    await writeFiles(bin(), {
      op: program(
        `[ -z "$OP_FAILS" ] || { echo 'first' >&2; echo '[ERROR] you are not signed in' >&2; exit 1; }\nprintf %s '${hidden}op'`,
      ),
      bw: program(`printf %s '${bw}'`),
      aws: program(`printf '%s\\n' '${aws}'`),
    })
    for (const name of ['op', 'bw', 'aws']) await chmod(join(bin(), name), 0o755)
    env = { PATH: `${bin()}:${process.env.PATH}` }
    const own = [
      'OP: { op: op://shop/stripe/key }',
      'OP_TOO: { op: op://shop/stripe/key }',
      'BW: { bw: stripe }',
      'PIN: { bw: stripe/pin }',
      'AWS: { aws: "shop/live#key" }',
      `CMD: { command: 'printf "%s\\n" ${hidden}$(basename "$PWD")' }`,
    ]
    await writeFile(join(project, 'kraftwerk.yaml'), yaml.replace('THREE: yaml', `THREE: yaml, ${own.join(', ')}`))
  })

  test('reach the application, fetched once a run for all nodes', async () => {
    await must(['reload:stage'], { env })
    const values = await Promise.all(['OP', 'OP_TOO', 'BW', 'PIN', 'AWS', 'CMD'].map(text))
    expect(values).toEqual(['op', 'op', 'bw', 'pin', 'aws', 'vane'].map((end) => `${hidden}${end}`))
    expect(await calls()).toEqual([
      'aws secretsmanager get-secret-value --secret-id shop/live --query SecretString --output json',
      'bw --nointeraction get item stripe',
      'op read --no-newline op://shop/stripe/key',
    ])
  })

  test('are not fetched by what needs no values, which says where they are from', async () => {
    const before = await calls()
    const dry = await must(['deploy:stage', '--dry-run'], { env })
    expect(dry.stderr).toContain('OP: from op')
    const listed = JSON.parse((await must(['env:stage', '--json'], { env })).stdout)
    expect(listed).toContainEqual({ name: 'PIN', from: 'bw, kraftwerk.yaml' })
    await must(['run:stage', '--', 'true'], { env })
    expect(await calls()).toEqual(before)
  })

  test('that cannot be had stop a deploy before any node is touched', async () => {
    const before = await pids()
    const { code, stderr } = await kraft(['deploy:stage'], { env: { ...env, OP_FAILS: '1' } })
    expect(code).toBe(1)
    expect(failure(stderr)).toMatch(/kraftwerk\.yaml:6:\d+: OP can't be had from op: op ended with code 1\n/)
    expect(failure(stderr)).toContain('  | [ERROR] you are not signed in\nnext:  Log in: op signin')
    const missing = await kraft(['reload:stage'])
    expect(failure(missing.stderr)).toContain("OP can't be had from op: there is no program op here")
    expect(await pids()).toEqual(before)
  })

  test('are printed nowhere and kept nowhere here', async () => {
    expect(outputs).not.toContain(hidden)
    const kept = await story.bash(`grep -rlaF --exclude-dir=bin --exclude=kraftwerk.yaml -- '${hidden}' "$HOME" || :`)
    expect(kept.stdout).toBe('')
  })
})

describe('superusers of a Django project', () => {
  const accounts = (more = '') => `name: guild
domain: guild.test
wsgi: guild.wsgi:application
packages: django
workers: 1
superusers: [ada@example.com, { username: bob, email: b@example.com }${more}]
environments: { stage: { nodes: [one] } }
`
  const manage = `import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'guild.settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`
  const settings = `import os
SECRET_KEY = os.environ['SECRET_KEY']
ALLOWED_HOSTS = os.environ['ALLOWED_HOSTS'].split(',')
INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth']
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['HOME'] + '/db.sqlite3'}}
ROOT_URLCONF = 'guild.urls'
`
  let guild: string
  const deploy = () => callKraft(['deploy:stage', '--json', '--verbose'], { cwd: guild, env: story.env })
  /** Runs Python in the project; what it reads is in no argument. */
  const python = async (code: string, stdin = '') => {
    const begin = 'import sys; from django.contrib.auth import authenticate, get_user_model; U = get_user_model()'
    const words = ['run:stage', '--', 'manage.py', 'shell', '--verbosity', '0', '--command', `${begin}\n${code}`]
    const { stdout, stderr } = await callKraft(words, { cwd: guild, env: story.env, stdin })
    return stdout.trim() || stderr
  }

  beforeAll(async () => {
    guild = join(story.home, 'guild')
    await writeFiles(guild, {
      'kraftwerk.yaml': accounts(),
      'manage.py': manage,
      'guild/__init__.py': '',
      'guild/settings.py': settings,
      'guild/urls.py': 'urlpatterns = []\n',
      'guild/wsgi.py': `import os
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'guild.settings')
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
`,
    })
  })

  test('are created by the first deploy, which shows their passwords once and nowhere else', async () => {
    const first = await deploy()
    expect(first.code, first.stderr).toBe(0)
    const { superusers } = JSON.parse(first.stdout)
    expect(superusers).toMatchObject([
      { username: 'ada', email: 'ada@example.com', shown: 'once' },
      { username: 'bob', email: 'b@example.com', shown: 'once' },
    ])
    const login = `ada, bob = sys.stdin.read().split()
print([authenticate(username=name, password=word).is_superuser for name, word in (('ada', ada), ('bob', bob))])`
    const passwords: string[] = superusers.map(({ password }: { password: string }) => password)
    expect(await python(login, passwords.join(' '))).toBe('[True, True]')
    for (const password of passwords) {
      expect(password).toMatch(/^[A-Za-z2-9]{20}$/)
      expect(first.stderr).not.toContain(password)
    }
    const search = passwords.map((password) => `-e ${password.slice(0, 9)}[${password[9]}]${password.slice(10)}`).join(' ')
    expect(await story.onNode('one', `grep -rl ${search} /web /etc /var/log /run /root /tmp || echo nowhere`)).toBe('nowhere\n')
  })

  test('are left alone where somebody has or had an account of that name', async () => {
    expect(
      await python("U.objects.get(username='ada').delete(); U.objects.create_user('eve', password='her own'); print('made')"),
    ).toBe('made')
    await writeFile(join(guild, 'kraftwerk.yaml'), accounts(', eve@example.com'))
    const second = await deploy()
    expect(second.code, second.stderr).toBe(0)
    expect(JSON.parse(second.stdout).superusers).toBeUndefined()
    const look =
      "print(sorted(U.objects.values_list('username', flat=True)), authenticate(username='eve', password='her own').is_superuser)"
    expect(await python(look)).toBe("['bob', 'eve'] False")
  })

  test('are shown once as well where a task of the kraftfile calls deploy, whose result it does not see', async () => {
    await writeFile(join(guild, 'kraftwerk.yaml'), accounts(', zoe@example.com'))
    await writeFile(
      join(guild, 'kraftfile.ts'),
      `import { task } from 'kraftwerk'
import { deploy } from 'kraftwerk/tasks'
/** Ship it. */
export const ship = task({ on: 'once', run: async ({ call, line }) => line.output('deploy said ' + (await call(deploy))) })
`,
    )
    const { code, stdout, stderr } = await callKraft(['ship:stage', '--verbose'], { cwd: guild, env: story.env })
    expect(code, stderr).toBe(0)
    const said = [...(stdout + stderr).matchAll(/Superuser (\w+) \((\S+)\) has the password (\S+)/g)]
    expect(said.map(([, name, email]) => [name, email])).toEqual([['zoe', 'zoe@example.com']])
    const password = said[0]?.[3] ?? ''
    expect((stdout + stderr).split(password)).toHaveLength(2)
    expect(stderr).toContain('deploy said undefined')
    expect(await python("print(authenticate(username='zoe', password=sys.stdin.read()).is_superuser)", password)).toBe('True')
    const search = `${password.slice(0, 9)}[${password[9]}]${password.slice(10)}`
    expect(await story.onNode('one', `grep -rl ${search} /web /etc /var/log /run /root /tmp || echo nowhere`)).toBe('nowhere\n')
    const here = await story.bash(`grep -rlaF --exclude-dir=bin -- '${password}' "$HOME" || :`)
    expect(here.stdout).toBe('')
  })

  test('of a project that is not Django are one clear error', async () => {
    await writeFile(join(project, 'kraftwerk.yaml'), `${yaml}superusers: [ada@example.com]\n`)
    const { code, stderr } = await kraft(['deploy:stage'])
    expect(code).toBe(2)
    expect(failure(stderr)).toMatch(
      /kraftwerk\.yaml:8:1: superusers are accounts of a Django project, and this one is Any WSGI callable/,
    )
  })
})
