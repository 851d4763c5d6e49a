import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { generateHostKey } from '../../engine/ssh/keys.js'
import { fingerprint, fromLine } from '../../engine/ssh/public-key.js'
import { type Files, failure, kraft, writeFiles } from '../rig/cli.js'
import { kraftProgram, type Ran } from '../rig/kraft.js'
import { type Sshd, startSshd } from '../rig/sshd.js'

let root: string
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'kraft-bad-input-')))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** A node that refuses connections: nothing listens on port 1 of loopback. */
const down = { provider: 'local', address: '127.0.0.1', port: 1, user: 'root', host_keys: [] }
const nodes = stringify({ one: down, two: down })
const wsgi = 'wsgi: shop.wsgi:application\n'
const stages = `${wsgi}environments:\n  stage: { name: shop-stage, nodes: [one] }\n  live: { nodes: [one] }\n`
const stage = `${wsgi}services: [files]\nenvironments:\n  stage: { nodes: [one] }\n`

// Should kraft ever take one of these for good, it still makes no node.
const nowhere = { KRAFT_LOCAL_SUBNET: 'none' }

let folders = 0
/** Runs a command line in a folder with these files; `HERE` in expectations stands for that folder. */
async function run(command: string, files: Files, prepare?: (here: string) => Promise<void>) {
  const home = join(root, String(++folders))
  const here = join(home, 'shop')
  await mkdir(here, { recursive: true })
  await writeFiles(here, files)
  await prepare?.(here)
  const ended = await kraft(command.split(' '), { cwd: here, env: { HOME: home, ...nowhere } })
  return { ...ended, here, said: failure(ended.stderr).replaceAll(here, 'HERE') }
}

/** One error and one next step, no stack, nothing on stdout. */
function clear(ended: Pick<Ran, 'stdout' | 'stderr'>): void {
  expect(ended.stdout).toBe('')
  expect(ended.stderr.match(/^error: /gm)).toHaveLength(1)
  expect(ended.stderr).not.toMatch(/^\s+at .*:\d+/m)
}

type Case = readonly [command: string, files: Files, code: number, said: string]

const yaml = (text: string) => ({ 'kraftwerk.yaml': text })
const project = (text: string) => ({ 'kraftwerk.yaml': text, 'nodes.yaml': nodes })
const kraftfile = (text: string) => ({ ...project(stage), 'kraftfile.ts': `import { task } from 'kraftwerk'\n${text}\n` })
const template = (text: string) => ({ ...project(stage), 'templates/nginx/site.conf.ejs': text })

const noProject = `there is no kraftwerk.yaml here or in a folder above
next:  Go to the folder of the project, or make one: kraft init NAME`
const twice = `error: The node one is in several environments: stage, live
next:  Name the environment: kraft`

describe.concurrent('says where, why and what next', () => {
  test.each<Case>([
    ['deploy', {}, 2, `error: deploy needs a project, and ${noProject}`],
    ['deploy:stage', {}, 2, `error: deploy needs a project, and ${noProject}`],
    ['dump', {}, 2, `error: dump needs a project, and ${noProject}`],
    ['run -- true', {}, 255, 'error: run needs a node, and there is none yet\nnext:  Make one: kraft provision one'],
    ['run:one -- true', {}, 255, 'error: There is no node "one".\nnext:  Make it: kraft provision one'],
    ['bootstrap:all', {}, 2, 'error: There is no node yet\nnext:  Make one: kraft provision one'],
  ])('without a kraftwerk.yaml: kraft %s', check)

  test.each<Case>([
    [
      'deploy',
      yaml(`${wsgi}doman: x.org`),
      2,
      'error: HERE/kraftwerk.yaml:2:1: Unknown key "doman". Did you mean "domain"?\nnext:  Known here: version, ',
    ],
    [
      'run:one -- true',
      yaml('wrokers: 2'),
      255,
      'error: HERE/kraftwerk.yaml:1:1: Unknown key "wrokers". Did you mean "workers"?',
    ],
    [
      'deploy',
      yaml('environments:\n  stage: { doman: x.org }'),
      2,
      'error: HERE/kraftwerk.yaml:2:12: Unknown key "doman". Did you mean "domain"?',
    ],
    [
      'deploy',
      yaml('health: { pth: / }'),
      2,
      'error: HERE/kraftwerk.yaml:1:11: The key "pth" in "health" should be one of path, status, timeout, tries. Did you mean "path"?',
    ],
    [
      'deploy',
      yaml('workers: four'),
      2,
      'error: HERE/kraftwerk.yaml:1:10: "workers" should be a number, not "four"\nnext:  For example: workers: 4',
    ],
    [
      'deploy',
      yaml('wsgi: shop'),
      2,
      'error: HERE/kraftwerk.yaml:1:7: "wsgi" should be module.module:callable, as in calculator.wsgi:application, not "shop"',
    ],
    ['deploy', yaml('wsgi: [a\nworkers: 3'), 2, 'error: HERE/kraftwerk.yaml:2:1: This is not YAML: '],
    [
      'deploy',
      yaml('environ:\n\tA: 1'),
      2,
      'error: HERE/kraftwerk.yaml:2:1: This is not YAML: Tabs are not allowed as indentation\nnext:  Indent with spaces',
    ],
    [
      'deploy',
      yaml('workers: 1\nworkers: 2'),
      2,
      'error: HERE/kraftwerk.yaml:2:1: This key is here twice: "workers"\nnext:  Keep one of the two',
    ],
    ['deploy', yaml('services: [files, postgress]'), 2, 'error: HERE/kraftwerk.yaml:1:19: Item 2 of "services" should be '],
    ['deploy', yaml('services: [postgress]'), 2, 'Did you mean "postgres"?'],
    ['deploy', yaml('- wsgi'), 2, 'error: HERE/kraftwerk.yaml:1:1: This file should be a map of keys to values'],
    ['deploy', { 'kraftwerk.yaml/x': '' }, 2, 'error: HERE/kraftwerk.yaml: This file cannot be read: it is a folder'],
    ['deploy', yaml(''), 2, 'error: deploy needs a node, and there is none yet'],
    [
      'deploy:stage',
      project(`${wsgi}environments: { stage: }`),
      2,
      'error: HERE/kraftwerk.yaml:2:17: The environment stage has no nodes\nnext:  Add them, for example: nodes: [one]',
    ],
    [
      'deploy:stage',
      project(`${wsgi}environments: { stage: { nodes: [onne] } }`),
      2,
      'error: HERE/kraftwerk.yaml:2:33: The node onne is not known. Did you mean "one"?\nnext:  Make it: kraft provision onne, or name one that there is: one, two',
    ],
    [
      'deploy:stage',
      project('environments: { stage: { nodes: [one] } }'),
      2,
      'error: HERE/kraftwerk.yaml: "wsgi" is missing, and no framework was found that tells it\nnext:  Add the callable, for example: wsgi: calculator.wsgi:application',
    ],
    [
      'deploy:stage',
      { ...project(stage), 'nodes.yaml': 'one: { provider: local, adress: x, user: root, host_keys: [] }' },
      2,
      'error: HERE/nodes.yaml:1:25: Unknown key "adress". Did you mean "address"?',
    ],
    [
      'deploy',
      { ...yaml(''), '../.kraftwerk.yaml': 'providr: local' },
      2,
      '/.kraftwerk.yaml:1:1: Unknown key "providr". Did you mean "provider"?',
    ],
  ])('for a mistake in the settings: kraft %s with %j', check)

  test.each<Case>([
    [
      'deploi:stage',
      project(stage),
      2,
      'error: There is no task "deploi". Did you mean "deploy"?\nnext:  kraft alone lists the tasks',
    ],
    [
      'deploy:stage --dryrun',
      project(stage),
      2,
      'error: deploy has no option --dryrun. Did you mean "--dry-run"?\nnext:  See: kraft help deploy',
    ],
    ['deploy:stage now', project(stage), 2, 'error: deploy does not know what to do with "now"\nnext:  See: kraft help deploy'],
    ['deploy:stage -- x', project(stage), 2, 'error: deploy takes no command behind --'],
    [
      'deploy:stage:x',
      project(stage),
      2,
      'error: "deploy:stage:x" is not TASK or TASK:TARGET\nnext:  For example: kraft deploy:stage',
    ],
    ['--dry-run deploy', project(stage), 2, 'error: Name a task before --dry-run'],
    ['help deplyo', project(stage), 2, 'error: There is no task "deplyo". Did you mean "deploy"?'],
    [
      'deploy:stge',
      project(stage),
      2,
      'error: There is no environment or node "stge". Did you mean "stage"?\nnext:  Known here: stage, one, two.',
    ],
    ['bootstrap:onne', project(stage), 2, 'error: There is no node "onne". Did you mean "one"?'],
    [
      'deploy',
      project(stages),
      2,
      'error: deploy needs a target\nnext:  Say where, for example: kraft deploy:stage (known here: stage, live, one, two)',
    ],
    ['deploy:one', project(stages), 2, `${twice} deploy:stage or kraft deploy:live`],
    ['run:one -- true', project(stages), 255, `${twice} run:stage or kraft run:live`],
    ['run:stage', project(stage), 255, 'error: Say what to run\nnext:  For example: kraft run:stage -- manage.py check'],
    ['shell:stage', project(stage), 255, 'error: shell needs a terminal\nnext:  For one command: kraft run:stage -- COMMAND'],
    ['nodes:one', project(stage), 2, 'error: nodes takes nothing behind a colon'],
    [
      'load:stage',
      project(stage),
      2,
      'error: load needs FILE: a bundle that dump wrote; - reads stdin\nnext:  See: kraft help load',
    ],
    [
      'load:stage --on-node --identity key.txt',
      project(stage),
      2,
      'error: --identity has no meaning with --on-node: what dump --on-node leaves on a node is not encrypted\nnext:  Leave one of the two out',
    ],
    ['provision', {}, 2, 'error: provision needs NAME: what to call the node'],
    ['provision all', {}, 2, 'error: A node cannot be called "all": all means every node'],
    ['provision a/b', {}, 2, 'error: A node cannot be called "a/b": a name has letters, digits, dots and hyphens'],
    [
      'provision three --provider ec3',
      {},
      2,
      'error: --provider is one of digitalocean, ec2, hetzner, linode, local, openstack, static, vagrant; got "ec3". Did you mean "ec2"?\nnext:  See: kraft help provision',
    ],
    [
      'provision three --set imag=trixie',
      {},
      2,
      'error: The provider local has no setting "imag". Did you mean "image"?\nnext:  Its settings: image, user',
    ],
    ['provision three --set image=sid', {}, 2, 'error: --set image should be one of bookworm, trixie, noble, not "sid"'],
    [
      'provision three --provider static --image sid',
      {},
      2,
      'error: The provider static has no images\nnext:  Leave --image out, or look at its settings: kraft settings',
    ],
    ['provision three --image sid', {}, 2, 'error: --image should be one of bookworm, trixie, noble, not "sid"'],
    ['provision three --set image', {}, 2, 'error: --set takes KEY=VALUE, got "image"\nnext:  For example: --set image=trixie'],
    ['dump:stage --only postgres', project(stage), 2, 'error: shop has no service "postgres" with data\nnext:  It has files'],
    [
      'dump:stage',
      project(`${wsgi}environments: { stage: { nodes: [one] } }`),
      2,
      'error: shop has no service with data\nnext:  Add one to kraftwerk.yaml',
    ],
  ])('for a mistake on the command line: kraft %s', check)

  test.each<Case>([
    ...['destroy', 'load old.bundle', 'terminate', 'restore'].map((line): Case => {
      const [task = ''] = line.split(' ')
      return [
        line,
        project(stage),
        2,
        `error: ${task} loses data and never picks a target by itself\nnext:  Say where, for example: kraft ${task}:`,
      ]
    }),
    ...['destroy:stage', 'terminate:one', 'restore:one'].map((line): Case => {
      const [task = ''] = line.split(':')
      return [
        line,
        project(stage),
        2,
        `error: ${task} loses data and asks first, and there is no terminal to ask on\nnext:  If you mean it, add --yes`,
      ]
    }),
    ...['snapshot:one', 'snapshots:one', 'restore:one --yes'].map((line): Case => {
      const adopted = { one: { ...down, provider: 'static' } }
      return [
        line,
        { ...project(stage), 'nodes.yaml': stringify(adopted) },
        2,
        'error: The provider static keeps no snapshots of its nodes, so there are none of one\nnext:  To keep the data of a project: kraft dump',
      ]
    }),
  ])('where data could be lost: kraft %s', check)

  test.each<Case>([
    ['init class', {}, 2, `error: A project can't be called "class": it is a word of Python itself\nnext:  Take another name`],
    ['init 9lives', {}, 2, `error: A project can't be called "9lives": a name has two or more small letters`],
    ['init django', {}, 2, `error: A project can't be called "django": a package of this name is installed beside the project`],
    ['init root', {}, 2, `error: A project can't be called "root"`],
    [
      'init full',
      { 'full/x': '' },
      2,
      'error: The folder HERE/full is not empty: it has x\nnext:  Take another name, or move what is there.',
    ],
    ['init shop --template none', {}, 2, 'error: The template HERE/none is no folder with files in it\nnext:  Name a folder'],
    ['init shop --flask --wsgi', {}, 2, 'error: A project has one framework: flask or wsgi?\nnext:  Take one of --django'],
    ['init --flask', {}, 2, 'error: Without a NAME kraft looks at the project here'],
    ['init', {}, 2, 'error: There is no Python project in HERE: no .py file, no requirements\nnext:  Go to the folder'],
    ['init', project(stage), 2, 'error: HERE/kraftwerk.yaml is there already, and nothing was changed\nnext:  Change it by hand'],
    ['init shop --framework flsk', {}, 2, 'error: There is no skeleton "flsk". Did you mean "flask"?'],
  ])('for a project that cannot be: kraft %s', check)

  test.each<Case>([
    [
      'deploy:stage',
      kraftfile('export const a = task({ run: ( => 1 })'),
      2,
      'error: HERE/kraftfile.ts:2:32: Syntax error: Unexpected token',
    ],
    [
      'run:stage -- true',
      kraftfile('export const a = task({ run: ( => 1 })'),
      255,
      'error: HERE/kraftfile.ts:2:32: Syntax error: Unexpected token',
    ],
    ['--list', kraftfile("throw new Error('no luck')"), 2, 'error: HERE/kraftfile.ts:2:7: This code failed: no luck'],
    [
      '--list',
      kraftfile("import pad from 'left-pad-that-is-not'\nexport const a = task({ run: pad })"),
      2,
      'error: HERE/kraftfile.ts:2:17: Cannot find what it imports: "left-pad-that-is-not"\nnext:  npm install --save-dev left-pad-that-is-not',
    ],
    [
      '--list',
      kraftfile("import pad from './pad.js'\nexport const a = task({ run: pad })"),
      2,
      'error: HERE/kraftfile.ts:2:17: Cannot find what it imports: "./pad.js"',
    ],
    [
      'throws',
      kraftfile("export const throws = task({ on: 'once', needs: 'nothing', run() {\n  none()\n} })"),
      1,
      'error: HERE/kraftfile.ts:3: none is not defined\n  --debug shows where it came from',
    ],
    [
      'hours',
      kraftfile(
        "export const hours = task({ on: 'once', needs: 'nothing', options: { n: { type: 'number', positional: true } }, run() {} })",
      ),
      0,
      '',
    ],
    [
      'hours many',
      kraftfile(
        "export const hours = task({ on: 'once', needs: 'nothing', options: { n: { type: 'number', positional: true } }, run() {} })",
      ),
      2,
      'error: N is a number, got "many"\nnext:  See: kraft help hours',
    ],
  ])('for a mistake in a kraftfile: kraft %s', async (command, files, code, said) => {
    if (code !== 0) await check(command, files, code, said)
    else expect(await run(command, files)).toMatchObject({ code, said })
  })

  test.each<Case>([
    [
      'deploy:stage',
      template('server {\n  listen <%= port %>;\n}\n'),
      2,
      'error: HERE/templates/nginx/site.conf.ejs:2: port is not defined\nnext:  Correct the template and run it again',
    ],
    ['deploy:stage', template('server {\n\n<% if (ipv6 { %>\n}\n'), 2, 'error: HERE/templates/nginx/site.conf.ejs:3: '],
    [
      'deploy:stage',
      { ...project(stage), 'templates/instance/web.run.sh.ejs': '#!/bin/sh\n<%= wsgy %>' },
      2,
      'error: HERE/templates/instance/web.run.sh.ejs:2: wsgy is not defined',
    ],
    [
      'deploy:stage',
      { ...project(stage), 'templates/instance/enter.sh.ejs': '<%' },
      2,
      'error: HERE/templates/instance/enter.sh.ejs:1: ',
    ],
  ])('for a mistake in a template, before a node is reached: kraft %s', check)

  test.each<Case>([
    ['load:stage no.bundle', project(stage), 2, 'error: HERE/no.bundle: There is no such file'],
    [
      'load:stage a.bundle',
      { ...project(stage), 'a.bundle': 'junk' },
      2,
      'error: HERE/a.bundle: This is no whole bundle: it is cut off or damaged\nnext:  Nothing was changed. Make a new one: kraft dump:TARGET FILE',
    ],
    [
      'load:stage a.bundle',
      { ...project(stage), 'a.bundle': '' },
      2,
      'error: HERE/a.bundle: This is no whole bundle: it is empty',
    ],
    ['load:stage .', project(stage), 2, 'error: HERE: This is no whole bundle: it is a folder'],
  ])('for a file that is no bundle, before a node is reached: kraft %s', check)

  test.each<Case>([
    [
      'deploy:stage',
      project(stage),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection\nnext:  Is sshd running there, on that port?',
    ],
    ['bootstrap:one', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['dump:stage', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['run:stage -- true', project(stage), 255, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['reload:stage --json', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    [
      'up:stage',
      kraftfile('export const up = task({ run: ({ $ }) => $`uptime` })'),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection',
    ],
    [
      'up:stage',
      kraftfile(
        "export const up = task({ on: 'once', run: ({ target }) => Promise.all(target.nodes.map((node) => node.$`uptime`)) })",
      ),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection',
    ],
  ])('for a node that is down: kraft %s', check)

  async function check(...[command, files, code, said]: Case): Promise<void> {
    const ended = await run(command, files)
    expect(ended.said).toContain(said)
    expect(ended.code).toBe(code)
    clear(ended)
    // What fails leaves nothing behind here either: no lock, no half of a file.
    expect((await readdir(ended.here)).sort()).toEqual(tops(files))
  }
})

function tops(files: Files): string[] {
  return [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))].filter((name) => name !== '..').sort()
}

describe.concurrent('a kraftfile', () => {
  const failing = kraftfile(
    "export const boom = task({ on: 'once', needs: 'nothing', run: ({ local }) => local.$`echo a; echo b >&2; exit 7` })",
  )

  test('whose command fails shows the command, its code and its last lines', async () => {
    const ended = await run('boom', failing)
    expect(ended).toMatchObject({
      code: 1,
      said: 'error: this machine: echo a; echo b >&2; exit 7: ended with code 7\n  | a\n  | b',
    })
    clear(ended)
  })

  test('whose command fails leaves stdout empty with --json, and shows a stack with --debug', async () => {
    expect(await run('boom --json', failing)).toMatchObject({ code: 1, stdout: '' })
    expect((await run('boom --debug', failing)).stderr).toMatch(/^\s+at .*:\d+/m)
  })

  test('with errors of types runs', async () => {
    const files = kraftfile(
      "const n: number = 'text'\nexport const hello = task({ on: 'once', needs: 'nothing', run() { console.log(n, 1 as string) } })",
    )
    expect(await run('hello', files)).toMatchObject({ code: 0, stdout: 'text 1\n' })
  })

  test.each([
    ['its file', 'kraftfile.ts', 0o666],
    ['its folder', '.', 0o777],
  ])('is not run where everybody can write %s', async (_what, path, mode) => {
    const ended = await run('--list', kraftfile(''), (here) => chmod(join(here, path), mode))
    expect(ended).toMatchObject({ code: 2 })
    expect(ended.said).toContain('error: HERE/kraftfile.ts: kraft does not run code that others can change: everybody can write')
    expect(ended.said).toContain('next:  chmod o-w HERE')
  })
})

test('a folder that is gone is named', async () => {
  const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" nodes'
  const ended = await promisify(execFile)('sh', ['-c', script, process.execPath, kraftProgram], { cwd: root }).catch(
    (error: unknown) => error,
  )
  expect(ended).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'error: The folder that you are in is gone\nnext:  Go to one that exists\n',
  })
})

describe('a node whose host key changed', () => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd?.stop())

  test.each([
    ['deploy:stage', 3],
    ['run:stage -- true', 255],
  ])('is refused with both fingerprints: kraft %s', async (command, code) => {
    const other = generateHostKey().publicKey
    const record = { ...down, port: sshd.port, host_keys: [other] }
    const ended = await run(command, { 'kraftwerk.yaml': stage, 'nodes.yaml': stringify({ one: record }) })
    const [shown, remembered] = [sshd.hostKeys[0] ?? '', other].map((line) => fingerprint(fromLine(line) ?? never(line)))
    expect(ended.said).toBe(
      `error: one: its host key changed: it shows ${shown} (ED25519), nodes.yaml remembers ${remembered} (ED25519)\n` +
        'next:  If you rebuilt one, correct its host_keys in nodes.yaml; if not, somebody may be listening in.',
    )
    expect(ended.code).toBe(code)
    clear(ended)
  })
})

function never(line: string): never {
  throw new Error(`This is no host key: ${line}`)
}
