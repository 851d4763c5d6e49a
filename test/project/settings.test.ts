import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { environOrigin } from '../../project/environ-origin.js'
import { instanceSettings, type Known, loadProject, wsgiOf } from '../../project/settings.js'
import { failureOf, freshHome, settingError } from '../rig/home.js'

const home = freshHome()
const known: Known = {
  services: ['postgres', 'redis', 'files'],
  vaults: ['command', 'op'],
  reference: async (_vault, reference) => (reference === 'odd' ? 'something else' : undefined),
  section: async (name) => (name === 'postgres' ? { version: { schema: v.optional(v.number()), doc: 'Version' } } : undefined),
}

async function project(text: string, folder = 'calculator') {
  await home.write(`${folder}/kraftwerk.yaml`, text)
  const found = await loadProject(`${home.home}/${folder}`, known)
  if (found === undefined) throw new TypeError('There should be a project')
  return found
}

async function wrong(text: string) {
  await home.write('calculator/kraftwerk.yaml', text)
  return settingError(loadProject(home.project, known))
}

const whole = `version: 1
domain: Calculator.example.com
aliases: [www.calculator.example.com]
wsgi: calculator.wsgi:application
workers: 4
packages: django psycopg[binary] gunicorn>=22
apt: [libmagic1]
services: [postgres, { redis: { memory: 10 } }, files]
shared: [media, instance/]
environ: { DJANGO_SETTINGS_MODULE: calculator.settings, DEBUG: False, RATE: 1.10, ZIP: 01234 }
processes: { worker: celery -A calculator worker }
health: { path: /health, timeout: 5 }
max_body: 2GB
environments:
  stage: { name: calculator-stage, domain: stage.example.com, workers: 1, nodes: [one], environ: { DEBUG: true }, health: /ready }
  live: { live: true, nodes: { web: [a, b], db: [b, c] }, services: [files] }
  empty:
`

it('reads everything that the design names', async () => {
  const settings = instanceSettings(await project(whole))
  expect(settings).toMatchObject({
    name: 'calculator',
    environment: undefined,
    nodes: [],
    live: false,
    domain: 'calculator.example.com',
    aliases: ['www.calculator.example.com'],
    wsgi: 'calculator.wsgi:application',
    workers: 4,
    threads: undefined,
    packages: ['django', 'psycopg[binary]', 'gunicorn>=22'],
    apt: ['libmagic1'],
    services: [
      { name: 'postgres', settings: {} },
      { name: 'redis', settings: { memory: 10 } },
      { name: 'files', settings: {} },
    ],
    shared: ['media', 'instance'],
    release: undefined,
    health: { path: '/health', status: [], timeout: 5, tries: 30 },
    max_body: 2 * 1024 ** 3,
    timeout: 30,
    processes: { worker: { command: 'celery -A calculator worker', count: 1 } },
  })
})

it('processes, cron entries and hooks of an environment join those of the project', async () => {
  const found = await project(`processes: { worker: { command: work, count: 3, memory: 200 MB, stop: 60 }, mail: send }
cron: { nightly: { schedule: "@daily", command: clean } }
hooks: { before-build: { local: npm run build }, after-switch: [one, { local: two }] }
environments:
  stage: { processes: { worker: { command: work, count: 0 } }, cron: { hourly: { schedule: 5 * * * *, command: look } }, hooks: { after-switch: three } }
`)
  expect(instanceSettings(found)).toMatchObject({
    processes: { worker: { command: 'work', count: 3, memory: 200 * 1024 ** 2, stop: 60 }, mail: { command: 'send', count: 1 } },
  })
  expect(instanceSettings(found, 'stage')).toMatchObject({
    processes: { worker: { command: 'work', count: 0 }, mail: { command: 'send', count: 1 } },
    cron: { nightly: { schedule: '@daily', command: 'clean' }, hourly: { schedule: '5 * * * *', command: 'look' } },
    hooks: {
      'before-build': [{ command: 'npm run build', local: true }],
      'after-switch': [{ command: 'three', local: false }],
    },
  })
})

it('has a default for everything', async () => {
  const settings = instanceSettings(await project(''))
  expect(settings).toMatchObject({
    name: 'calculator',
    workers: 2,
    max_body: 100 * 1024 ** 2,
    timeout: 30,
    services: [],
    environ: {},
  })
  expect(settings.health).toEqual({ path: '/', status: [], timeout: 10, tries: 30 })
})

it('variables hold what was written, not what YAML makes of it', async () => {
  expect(instanceSettings(await project(whole)).environ).toEqual({
    DJANGO_SETTINGS_MODULE: 'calculator.settings',
    DEBUG: 'False',
    RATE: '1.10',
    ZIP: '01234',
  })
})

it('a variable is a value or a reference to a vault, and an environment can turn one into the other', async () => {
  const found = await project(`environ: { A: { op: one }, B: plain, C: { command: pass show c } }
environments: { stage: { environ: { A: plain, B: { op: two } } } }`)
  expect(instanceSettings(found)).toMatchObject({
    environ: { B: 'plain' },
    vaults: { A: { vault: 'op', reference: 'one' }, C: { vault: 'command', reference: 'pass show c' } },
  })
  const stage = instanceSettings(found, 'stage')
  expect([stage.environ, Object.keys(stage.vaults)]).toEqual([{ A: 'plain' }, ['B', 'C']])
  expect(environOrigin(found, 'stage', 'A')).toMatchObject({ words: 'kraftwerk.yaml, stage', place: { line: 2 } })
  expect(environOrigin(found, 'stage', 'C')).toMatchObject({ words: 'kraftwerk.yaml', place: { line: 1 } })
})

it('superusers are named by their username, else by their email', async () => {
  const found = await project(
    'superusers: [ada@example.com, { username: bob, email: b@example.com }, { email: eve@example.com }]',
  )
  expect(instanceSettings(found).superusers).toEqual([
    { username: 'ada', email: 'ada@example.com' },
    { username: 'bob', email: 'b@example.com' },
    { username: 'eve', email: 'eve@example.com' },
  ])
})

describe('an environment', () => {
  it('overrides: maps merge, lists replace', async () => {
    const found = await project(whole)
    expect(instanceSettings(found, 'stage')).toMatchObject({
      name: 'calculator-stage',
      environment: 'stage',
      workers: 1,
      environ: { DJANGO_SETTINGS_MODULE: 'calculator.settings', DEBUG: 'true' },
      health: { path: '/ready', timeout: 5 },
      nodes: [{ name: 'one' }],
      live: false,
    })
    expect(instanceSettings(found, 'live')).toMatchObject({
      name: 'calculator',
      live: true,
      workers: 4,
      services: [{ name: 'files' }],
      nodes: [
        { name: 'a', roles: ['web'] },
        { name: 'b', roles: ['web', 'db'] },
        { name: 'c', roles: ['db'] },
      ],
    })
  })

  it('with nothing in it is the project', async () => {
    const found = await project(whole)
    expect(instanceSettings(found, 'empty')).toEqual({ ...instanceSettings(found), environment: 'empty' })
  })

  it('that does not exist is an error that names those that do', async () => {
    const found = await project(whole)
    const failure = await failureOf((async () => instanceSettings(found, 'stagee'))())
    expect(failure).toMatchObject({ kind: 'usage', next: expect.stringContaining('stage, live, empty') })
  })

  it('may not share name and node with another', async () => {
    const error = await wrong('environments:\n  a: { nodes: [one] }\n  b: { nodes: [one] }\n')
    expect(error).toMatchObject({ at: '3:3', message: 'a and b are both called "calculator" on the node one' })
  })
})

it('KRAFT_ variables win over the file and its environments, but for the name', async () => {
  Object.assign(process.env, {
    KRAFT_WORKERS: '9',
    KRAFT_ENVIRON: '{ DEBUG: x }',
    KRAFT_DEFAULT_NODE: 'two',
    KRAFT_NAME: 'other',
    KRAFT_MAX_BODY: '1 MB',
  })
  const found = await project(`default_node: one\n${whole}`)
  expect(found.settings.default_node).toBe('two')
  expect(instanceSettings(found, 'stage')).toMatchObject({
    name: 'calculator-stage',
    workers: 9,
    max_body: 1024 ** 2,
    environ: { DEBUG: 'x', DJANGO_SETTINGS_MODULE: 'calculator.settings' },
  })
  process.env.KRAFT_WORKERS = 'many'
  expect(await settingError(loadProject(home.project, known))).toMatchObject({
    file: 'KRAFT_WORKERS',
    message: '"workers" should be a number, not "many"',
  })
})

it('the nearest kraftwerk.yaml upwards counts', async () => {
  await project('domain: a.example.com')
  await home.write('calculator/deep/er/file', '')
  expect(await loadProject(`${home.project}/deep/er`, known)).toMatchObject({ folder: home.project, name: 'calculator' })
})

it('without one there is no project', async () => {
  expect(await loadProject(home.project, known)).toBeUndefined()
})

it('the folder names the project, in letters that a user can have', async () => {
  expect((await project('', 'My_Site.2')).name).toBe('my-site-2')
  await home.write('postgres/kraftwerk.yaml', '')
  expect((await settingError(loadProject(`${home.home}/postgres`, known))).message).toContain('a name of its own')
})

it.each([
  ['doman: x', '1:1', 'Unknown key "doman". Did you mean "domain"?'],
  ['domain: 123', '1:9', '"domain" should be text, not the number 123'],
  ['domain: https://x.example.com/', '1:9', '"domain" should be a domain'],
  ['aliases: [a.example.com, -b]', '1:26', 'Item 2 of "aliases" should be a domain'],
  ['wsgi: calculator.wsgi', '1:7', '"wsgi" should be module.module:callable'],
  ['workers: 65', '1:10', '"workers" should be at most 64'],
  ['workers: "4"', '1:10', '"workers" should be a number, not "4"'],
  [
    'services: [postgre]',
    '1:12',
    'Item 1 of "services" should be one of postgres, redis, files, not "postgre". Did you mean "postgres"?',
  ],
  ['services: postgres', '1:11', '"services" should be a list'],
  ['services: [files, files]', '1:19', 'The service "files" is here twice'],
  ['services: [{ postgres: { verson: 1 } }]', '1:26', 'Unknown key "verson". Did you mean "version"?'],
  ['shared: [../media]', '1:10', 'no ".."'],
  ['shared: [/etc]', '1:10', 'a path inside the project'],
  ['shared: [.]', '1:10', 'not all of it'],
  ['shared: [media, media/new]', '1:9', '"media" holds another one of them already'],
  ['environ: { 1A: x }', '1:12', 'The key "1A" in "environ" should be letters'],
  ['aliases: a.example.com x%y', '1:10', 'Item 2 of "aliases" should be a domain, as in www.example.com, not "x%y"'],
  ['environ: { A: }', '1:15', '"environ.A" should be one text ("" for none), or one vault with its reference ('],
  ['environ: { A: [1] }', '1:15', '"environ.A" should be one text, or one vault'],
  ['environ: { A: { host: x } }', '1:15', '"environ.A" should be one text, or one vault'],
  ['environ: { A: { opp: x } }', '1:17', 'Did you mean "op"?'],
  ['environ: { A: { op: odd } }', '1:15', '"environ.A.op" should be something else'],
  ['environ: { A: { op: x, command: y } }', '1:15', ', and not a map'],
  ['environ: { A: {} }', '1:15', 'one vault with its reference'],
  ['superusers: [ada]', '1:14', 'an email address'],
  ['superusers: [{ usernam: ada }]', '1:16', 'Did you mean "username"?'],
  ['superusers: [ada@a.org, ada@b.org]', '1:13', 'each username only once'],
  ['name: root', '1:7', '"root" is taken on every node'],
  ['name: template1', '1:7', '"template1" is taken on every node'],
  ['name: shop-build', '1:7', 'the user that builds for "shop"'],
  ['name: Calculator', '1:7', '"name" should be a small letter'],
  ['release: no', '1:10', '"release" should be a command, or false for none'],
  ['python: 3.10', '1:9', '"python" should be text'],
  ['health: { pth: / }', '1:11', 'Did you mean "path"?'],
  ['health: health', '1:9', '"health" should be a path on the site'],
  ['max_body: much', '1:11', '"max_body" should be a size'],
  ['max_body: 0', '1:11', '"max_body" should be at least one byte'],
  ['timeout: 0', '1:10', '"timeout" should be at least 1'],
  ['packages: django >=5', '1:11', 'no space before the version'],
  ['packages: -r other.txt', '1:11', 'requirements.txt'],
  ['index: pypi.example.com', '1:8', '"index" should be an address, as in https://pypi.example.com/simple'],
  ['index: { user: ada }', '1:8', '"index" should be a map with its url'],
  ['index: [{ url: "https://x.org", pasword: y }]', '1:33', 'Did you mean "password"?'],
  ['index: { url: "https://x.org", password: { op: odd } }', '1:8', '"index.password.op" should be something else'],
  ['apt: [LibMagic]', '1:7', 'Debian package'],
  ['processes: { web: x }', '1:14', 'the web process'],
  ['processes: { a: { count: 2 } }', '1:17', '"processes.a" should be a map with command'],
  ['processes: { a: { command: x, counts: 2 } }', '1:31', 'Did you mean "count"?'],
  ['processes: { a: { command: x, count: 65 } }', '1:38', '"processes.a.count" should be at most 64'],
  ['processes: { a: { command: x, memory: 1 MB } }', '1:39', '"processes.a.memory" should be at least 32 MB'],
  ['processes: { a: { command: x, memory: lots } }', '1:39', 'a size, as in 100 MB'],
  ['processes: { a: { command: x, stop: 0 } }', '1:37', 'at least 1'],
  ['cron: { a: { schedule: "61 * * * *", command: x } }', '1:24', '"cron.a.schedule" should be a minute from 0 to 59'],
  ['cron: { a: "@daily x" }', '1:12', '"cron.a" should be a map'],
  ['cron: { a: { schedule: "@daily" } }', '1:12', 'a map with schedule and command'],
  ['lock_timeout: -1', '1:15', 'at least 0'],
  ['hooks: { before-deploy: x }', '1:10', 'Did you mean "before-'],
  ['hooks: { before-build: [x, { lokal: y }] }', '1:30', 'Did you mean "local"?'],
  ['hooks: { before-build: "" }', '1:24', 'some text'],
  ['version: 2', '1:10', '"version" should be 1'],
  ['environments: { all: {} }', '1:17', 'all means every node'],
  ['environments:\n  stage:\n    wrokers: 1', '3:5', 'Did you mean "workers"?'],
  ['environments:\n  stage:\n    nodes: [all]', '3:13', 'every node'],
  ['environments:\n  stage:\n    live: maybe', '3:11', '"environments.stage.live" should be true or false'],
  ['environments:\n  stage: 3', '2:10', '"environments.stage"'],
  ['environments:\n  stage: { environments: {} }', '2:12', '"environments" belongs to the top of the file'],
])('%j is an error at %s', async (text, at, message) => {
  const error = await wrong(text)
  expect(error.message).toContain(message)
  expect(error).toMatchObject({ at, file: `${home.project}/kraftwerk.yaml` })
})

it('a missing wsgi that nothing tells names the key', async () => {
  const found = await project('domain: a.example.com')
  const settings = instanceSettings(found)
  expect(wsgiOf(found, settings, 'app:app')).toBe('app:app')
  expect((await settingError((async () => wsgiOf(found, settings))())).message).toContain('"wsgi" is missing')
})
