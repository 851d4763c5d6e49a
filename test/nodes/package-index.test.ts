import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { type PackageServer, startPackageServer } from '../rig/package-index.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { watchProcesses } from '../rig/watch-processes.js'

// Of this run alone, and with what an address or a shell would take for its own.
const word = `h1dden${randomBytes(4).toString('hex')}`
const password = `${word}/'@$x`
const login = { user: 'de.ploy', password }

let story: Story
let server: PackageServer
let project: string
let address: string
let outputs = ''
let mirror: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'parcel')
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  server = await startPackageServer(gateway(stateFrom(story.env)), {
    private: { packages: { ourcode: '1.0', other: '1.0' }, login },
    // Somebody else's package by the same name, with a version that looks newer.
    public: { packages: { ourcode: '9.0' } },
  })
  const ca = await readFile(server.ca, 'utf8')
  await story.onNode('one', `printf '%s' '${ca}' >/usr/local/share/ca-certificates/index.crt; update-ca-certificates >/dev/null`)
  mirror = (await story.onNode('one', "sed -n 's/^index-url = //p' /etc/pip.conf")).trim()
})
afterAll(async () => {
  await server?.stop()
  await story?.remove()
})

const write = (packages: string, index: string) =>
  writeFiles(project, {
    'kraftwerk.yaml': `name: parcel
domain: parcel.test
wsgi: parcel.wsgi:application
workers: 1
packages: ${packages}
index: ${index}
environments: { stage: { nodes: [one] } }
`,
    'parcel/__init__.py': '',
    'parcel/wsgi.py': `import ourcode
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [ourcode.version.encode()]
`,
    // What a vault is for a test.
    token: password,
  })
const list = () =>
  `[{ url: '${server.url('private')}', user: ${login.user}, password: { command: cat token } }, '${server.url('public')}', '${mirror}']`

async function kraft(...args: string[]) {
  const ran = await story.kraft(args, { cwd: project })
  outputs += `${ran.stdout}\n${ran.stderr}\n`
  return ran
}
const served = async () => (await ask(address, { host: 'parcel.test', path: '/' })).text
const builtBy = () =>
  story.onNode('one', 'cd /web/parcel/current/.kraft/venv/lib/python3*/site-packages; cat ourcode-*/INSTALLER')

test('packages come from the first index that has them, by uv, with a password that nothing shows', async () => {
  await write('[ourcode]', list())
  await kraft('config')
  expect((await kraft('deploy:stage', '--dry-run', '--debug')).code).toBe(0)
  expect(server.asked).toMatchObject({ private: { answered: 0 } })
  const { result, seen } = await watchProcesses(word, () => kraft('deploy:stage', '--verbose', '--debug'))
  expect([result.code, seen], result.stderr).toEqual([0, ''])
  expect([await served(), (await builtBy()).trim()]).toEqual(['1.0', 'uv'])
  expect(server.asked.private?.answered).toBeGreaterThan(0)
  // What python3 -m venv would have put there is there as well.
  const installed = (await kraft('run:stage', '--', 'pip', 'list', '--format=freeze')).stdout.split('\n')
  expect(installed.map((row) => row.replace(/==.*/, ''))).toEqual(expect.arrayContaining(['pip', 'setuptools']))
})

test('the same index asked for by another login is the same virtualenv; another index is another one', async () => {
  await write('[ourcode]', list().replace('command: cat token', "command: printf 'never asked'"))
  const before = { ...server.asked.private }
  expect((await kraft('deploy:stage')).code).toBe(0)
  expect(server.asked.private).toEqual(before)
  await write('[ourcode]', `['${server.url('public')}', '${mirror}']`)
  const diff = await kraft('diff:stage', '--json')
  expect(diff.stdout).toContain(`index: ${server.url('private')}`)
  expect((await kraft('deploy:stage')).code).toBe(0)
  expect(await served()).toBe('9.0')
})

test('where the first index refuses the login, nothing is taken from the next', async () => {
  await write('[ourcode, other]', list().replace('command: cat token', 'command: echo mistaken'))
  const { code, stderr } = await kraft('deploy:stage')
  expect([code, failure(stderr)]).toEqual([1, expect.stringMatching(/401|Unauthorized|authentica/i)])
  expect(await served()).toBe('9.0')
})

test('bootstrap leaves uv alone where the PATH has one, and goes on where there is none to be had', async () => {
  await story.onNode('one', 'mv /usr/local/lib/kraftwerk/uv /usr/local/bin/uv')
  const uvStep = async (...words: string[]) =>
    (await kraft('bootstrap:one', '--verbose', ...words)).stderr.match(/^ *\S+ uv\b.*$/m)?.[0]
  expect((await uvStep('--dry-run'))?.trim()).toBe('* uv')
  await story.onNode(
    'one',
    'rm /usr/local/bin/uv; cp -p /etc/pip.conf /root/; printf "[global]\nindex-url = http://127.0.0.1:9/\nretries = 0\n" >/etc/pip.conf',
  )
  const { code, stderr } = await kraft('bootstrap:one', '--verbose')
  expect([code, stderr]).toEqual([0, expect.stringContaining('This node cannot have uv; pip has to do')])
  expect(await uvStep()).toMatch(/this node cannot have uv/)
  await story.onNode('one', 'mv /root/pip.conf /etc/pip.conf; ls /usr/local/lib/kraftwerk')
})

test('a node without uv has pip do the same', async () => {
  // pip has no order among indexes, so the other one is left out.
  await write('[ourcode, other]', list().replace(` '${server.url('public')}',`, ''))
  const { result, seen } = await watchProcesses(word, () => kraft('deploy:stage', '--verbose', '--debug'))
  expect([result.code, seen], result.stderr).toEqual([0, ''])
  expect([await served(), (await builtBy()).trim()]).toEqual(['1.0', 'pip'])
})

test('hashes in requirements.txt are compared by pip, although gunicorn, which it does not name, has none', async () => {
  await write('[]', `['${mirror}']`)
  const idna = (hash: string) => ({
    'requirements.txt': `idna==3.10 --hash=sha256:${hash}\n`,
    'parcel/wsgi.py': `import idna
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [idna.__version__.encode()]
`,
  })
  await writeFiles(project, idna('0'.repeat(64)))
  const { code, stderr } = await kraft('deploy:stage')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('DO NOT MATCH THE HASHES')])
  // Of idna-3.10-py3-none-any.whl on PyPI.
  await writeFiles(project, idna('946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3'))
  expect((await kraft('deploy:stage')).code).toBe(0)
  expect(await served()).toBe('3.10')
  await rm(join(project, 'requirements.txt'))
  await write('[ourcode, other]', list().replace(` '${server.url('public')}',`, ''))
  expect((await kraft('deploy:stage')).code).toBe(0)
})

test('a wrong password, or none where the vault has none, leaves what serves, and is said without it', async () => {
  const alone = list().replace(` '${server.url('public')}',`, '')
  await write('[ourcode, other==1.0]', alone.replace('command: cat token', 'command: echo mistaken'))
  const { code, stderr } = await kraft('deploy:stage', '--verbose')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('ourcode')])
  expect(await served()).toBe('1.0')
  await write('[ourcode]', alone.replace('command: cat token', 'command: cat nowhere'))
  const missing = await kraft('deploy:stage')
  expect([missing.code, failure(missing.stderr)]).toEqual([
    1,
    expect.stringContaining("index.password can't be had from command"),
  ])
})

test('nothing of it is on the node or was printed', async () => {
  const places = '/web /etc /root /home /tmp /var /run /usr/local'
  // What was uploaded holds the file that stands for a vault.
  const found = await story.onNode('one', `grep -rlaF ${word} ${places} --exclude=token --exclude-dir=objects || echo nowhere`)
  expect(found).toBe('nowhere\n')
  for (const form of [word, encodeURIComponent(password)]) expect(outputs).not.toContain(form)
})
