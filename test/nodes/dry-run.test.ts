import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import * as tasks from '../../tasks/index.js'
import { chapters } from '../rig/chapters.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { wholeFolder, wholeNode } from '../rig/untouched.js'

// What every built-in task says with --dry-run, and that nothing is changed by it, neither on the node nor here.
const { chapter, essential } = chapters()
let story: Story

beforeAll(async () => {
  story = await beginStory('guestbook')
  await story.must(['provision', 'one'], { cwd: story.home })
})
afterAll(() => story?.remove())

const look = async () => new Set((await Promise.all([wholeNode(story, 'one'), wholeFolder(story.home)])).join('\n').split('\n'))
// A look takes a second, and what one test left is what the next one finds.
let seen: ReadonlySet<string> | undefined

/** Runs kraft and says what changed: lines that are there before and not after, or the other way round. */
async function changes(run: () => Promise<unknown>): Promise<readonly string[]> {
  const before = seen ?? (await look())
  seen = undefined
  await run()
  const after = await look()
  seen = after
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ]
}

/** What each built-in task says on a node that serves. */
const plans: Readonly<Record<string, readonly [args: readonly string[], said: readonly (string | RegExp)[], code?: number]>> = {
  backups: [['backups:stage', 'run'], ['No backups are made of guestbook-stage']],
  bootstrap: [['bootstrap:one'], ['one: 0 would change']],
  deploy: [
    ['deploy:stage'],
    [
      /Upload \d+ files \(a dry run sends nothing; it would be 0 of \d+ files, 0 B before compression\)/,
      /guestbook-stage: \d+ steps would change something/,
    ],
  ],
  env: [
    ['env:stage', 'set', 'MODE=fast'],
    ['Would set MODE for guestbook-stage', 'Set MODE (would change)'],
  ],
  promote: [
    ['promote:stage', 'live'],
    [/Fetch \d+ files of release \d{8}-\d{6}/, /it would be 0 of \d+ files, 0 B/, /guestbook: \d+ steps would change something/],
  ],
  reload: [['reload:stage'], ['guestbook-stage would run anew', /\* .*\(would run\)|\(would change\)/]],
  ps: [['ps:stage'], [/^one +web +web +run +/m, /^one +web worker +web\.1 +run +/m]],
  scale: [
    ['scale:stage', 'web=3'],
    ['WOULD BE', /^one +web +3 +\d$/m, /\* Switch to generation .*\(would run\)/],
  ],
  releases: [['releases:stage'], [/^\d{8}-\d{6} .* current$/m]],
  status: [['status:stage'], [/^one: release \d{8}-\d{6}$/m, /^ {2}site +200 in \d+ ms$/m, /^ {2}postgres +up, version 15/m]],
  rollback: [
    ['rollback:stage', '{former}'],
    [/guestbook-stage would go back to release \d{8}-\d{6}/, /\* .*\(would run\)/],
  ],
  diff: [['diff:stage'], ['a deploy would change nothing']],
  stop: [['stop:stage'], ['Would stop guestbook-stage', 'Web and processes are down, also after a reboot (would change)']],
  start: [['start:stage'], ['guestbook-stage would run']],
  restart: [['restart:stage'], ['guestbook-stage would run anew', 'End the web process (would run)']],
  maintenance: [
    ['maintenance:stage', 'on'],
    [
      'guestbook-stage would be closed for maintenance',
      '+<h1>Back soon</h1>',
      'Close the site (503, Retry-After: 600) (would run)',
    ],
  ],
  dev: [
    ['dev:stage', '--port', '28765'],
    [
      '.venv: would be made',
      'postgres: guestbook-stage on the node one',
      /^ {2}web: \S*python manage.py runserver 127.0.0.1:28765$/m,
    ],
  ],
  open: [['open:stage'], [/^http:\/\/\S+\/$/m]],
  dump: [
    ['dump:stage', 'data.bundle'],
    ['Would write postgres, files of guestbook-stage on one to ', '/data.bundle'],
  ],
  load: [
    ['load:stage', 'before.bundle'],
    [/Would put the data of guestbook-stage \(.*\) in the place of postgres and files of guestbook-stage on one/],
  ],
  sync: [
    ['sync:stage', 'live'],
    ['Dump', 'Would put postgres and files of guestbook-stage in the place of that of guestbook'],
  ],
  move: [['move:stage', '--to', 'one'], ['stage is on one already']],
  destroy: [['destroy:stage'], ['Would remove guestbook-stage from one', '(would change)']],
  terminate: [['terminate:one'], [/Would remove one \(local, [\d.]+\) and all data on it/]],
  up: [['up:stage'], ['bootstrap:one', 'deploy:stage', /^http:\/\/\S+\/$/m]],
  snapshot: [['snapshot:one', 'clean'], ['Would keep one as clean: its processes stand still']],
  snapshots: [['snapshots:one'], ['There is no snapshot of one. Take one: kraft snapshot:one']],
  restore: [['restore:one'], ['There is no snapshot of one'], 2],
  provision: [
    ['provision', 'two', '--set', 'user=admin', '--image', 'trixie'],
    ['Would make the node two (provider local)', 'user: admin', 'image: trixie'],
  ],
  run: [
    ['run:stage', '--', 'rm', '-rf', 'a b'],
    ["Would run on one, as guestbook-stage in its current release, with its environment: rm -rf 'a b'"],
  ],
  psql: [
    ['psql:stage', '--', '-l'],
    ['Would run on one, as guestbook-stage: psql ', '-d guestbook-stage -l'],
  ],
  serviceShell: [['service-shell:stage', 'postgres'], ['Would run on one, as guestbook-stage: psql ']],
  redisCli: [['redis-cli:stage'], ['stage has no service redis'], 255],
  mysql: [['mysql:stage'], ['stage has no service mysql'], 255],
  sqlite3: [['sqlite3:stage'], ['stage has no service sqlite'], 255],
  logs: [['logs:stage', 'web'], ['Would read the logs web of guestbook-stage on one']],
  forward: [
    ['forward:stage', 'postgres'],
    ['Would open a port of this machine to postgres of guestbook-stage on one (/var/run/postgresql/.s.PGSQL.5432)'],
  ],
  shell: [['shell:stage'], ['Would open a shell on one, as guestbook-stage in its current release']],
  init: [
    ['init', 'shop'],
    ['Would write a django project to ', '/shop', '  manage.py', '  shop/settings.py'],
  ],
  adopt: [['adopt', 'three', 'root@127.0.0.1'], ['Would remember three: root@127.0.0.1']],
  config: [['config'], [/^local\.image +bookworm +default$/m]],
  dashboard: [['dashboard:stage'], ['Would show stage, one on a page of this machine']],
  doctor: [
    ['doctor:one'],
    ['ok       one: lets root in at ', 'ok       Bootstrap of one: done, and up to date', 'ok       State of one: '],
  ],
  images: [['images', '--provider', 'local'], [/^bookworm +Debian bookworm$/m]],
  sizes: [['sizes', '--provider', 'local'], ['The provider local has no sizes'], 2],
  regions: [['regions', '--provider', 'local'], ['The provider local has no regions'], 2],
  nodes: [['nodes'], [/one +running +local/]],
  disconnect: [['disconnect'], ['Would end ']],
  completion: [['completion', 'bash'], ['complete ']],
  schema: [['schema'], ['"$schema"']],
  settings: [['settings'], ['kraftwerk.yaml', 'Domain that the site answers to']],
  sshOptions: [['ssh-options', 'one'], [/^hostname 10\./m]],
  templates: [
    ['templates', 'eject', 'nginx/site.conf'],
    ['Would copy ', 'to templates/nginx/site.conf.ejs'],
  ],
}

describe('with --dry-run', () => {
  let former = ''
  essential('the first bootstrap prints its plan with the files, and changes nothing', async () => {
    const changed = await changes(async () => {
      const { stdout, stderr } = await story.must(['bootstrap:one', '--dry-run'], { cwd: story.home })
      expect(stdout).toMatch(/^one: [1-9]\d* would change$/m)
      expect(stderr).toMatch(/\| install nginx$/m)
      expect(stderr).toMatch(/^ +\| \+\+\+ \/.* \(new\)$/m)
      expect(stderr).toMatch(/\* .* \(would change\)/)
      expect(stderr).toMatch(/\* .* \(maybe\)/)
    })
    expect(changed).toEqual([])
  })

  essential('a node is prepared, serves, and has data', async () => {
    seen = undefined
    await story.must(['terminate:one', '--yes'], { cwd: story.home })
    await provisionPrepared(story, ['one'])
    former = JSON.parse((await story.must(['deploy:stage', '--json'])).stdout).release
    await story.must(['deploy:stage'])
    await story.must(['deploy:live'])
    await story.must(['dump:stage', 'before.bundle'])
  })

  chapter('every built-in task is tried here', async () => {
    expect(Object.keys(plans).sort()).toEqual(Object.keys(tasks).sort())
  })

  for (const [name, [args, said, code = 0]] of Object.entries(plans)) {
    chapter(`${name} says what it would do, and changes nothing`, async () => {
      const flags = ['--dry-run']
      const given = args.map((word) => word.replace('{former}', former))
      const at = given.indexOf('--')
      const words = at < 0 ? [...given, ...flags] : [...given.slice(0, at), ...flags, ...given.slice(at)]
      const changed = await changes(async () => {
        const { stdout, stderr, code: ended } = await story.kraft(words)
        expect(ended, stderr).toBe(code)
        for (const each of said)
          expect(`${stdout}\n${stderr}`).toEqual(
            each instanceof RegExp ? expect.stringMatching(each) : expect.stringContaining(each),
          )
        if (code === 0) expect(stderr).not.toContain('error:')
      })
      expect(changed).toEqual([])
    })
  }

  chapter('no secret of the project is in any plan, not even with the scripts', async () => {
    const secret = (await story.onNode('one', 'cat /etc/kraftwerk/guestbook-stage/generated')).match(
      /SECRET_KEY=['"]?([^'"\n]+)/,
    )?.[1]
    expect(secret).toBeDefined()
    for (const task of ['deploy', 'reload', 'destroy']) {
      const { stdout, stderr } = await story.must([`${task}:stage`, '--dry-run', '--debug'])
      expect(stderr).toMatch(/^----- script for one: .* \(sha256 [0-9a-f]{64}\)$/m)
      expect(stdout + stderr).not.toContain(secret)
    }
    expect(await readFile(join(story.project, 'kraftwerk.yaml'), 'utf8')).toContain('guestbook')
  })
})
