import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failure, writeFiles } from '../rig/cli.js'
import { startConstantLoad } from '../rig/constant-load.js'
import { ask } from '../rig/http.js'
import { diary, ledger, note } from '../rig/moving-projects.js'
import { ensurePackages } from '../rig/packages.js'
import { type Pebble, startPebble } from '../rig/pebble.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { soak } from '../rig/soak.js'
import { beginStory, type Story } from '../rig/story-node.js'

let story: Story
let project: string
let ca: string
let pebble: Pebble
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await writeFiles(project, ledger)
  // One that nobody knows but the site itself.
  await ensurePackages(['openssl'])
  await story.bash(
    `openssl req -x509 -nodes -newkey rsa:2048 -days 90 -subj /CN=ledger -addext 'subjectAltName=DNS:${host}' -keyout own.key -out own.pem`,
    { cwd: project },
  )
  ca = await readFile(join(project, 'own.pem'), 'utf8')
  await provisionPrepared(story, ['one', 'two'])
  pebble = await startPebble(story.env)
  await must('deploy:live')
  await must('env:live', 'set', 'COLOUR=red')
  await story.onNode(
    'one',
    'echo one >/web/ledger/shared/media/own.txt; echo up >/web/ledger/uploads/a.txt; chown -R ledger: /web/ledger/uploads',
  )
})
afterAll(async () => {
  await pebble?.stop()
  await story?.remove()
})

const late = 'Processes and cron'
// What a move says it does at that moment. All of them: npm run soak -- moves.
const moments = [
  late,
  'How requests',
  'Check one',
  'bootstrap:two',
  'What one keeps',
  'Fetch',
  'First sync',
  'Requests wait',
  'Last sync',
  'Switch',
]
const killed = soak('moves', 1)

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const host = 'ledger.example.com'
const visit = async (node: string, path: string) => (await ask(await story.address(node), { host, path, ca })).text
const on = async (node: string, script: string) => (await story.onNode(node, script)).trim()
const rows = (node: string, what: string) => on(node, `runuser -u ledger -- psql -XAtqc "SELECT ${what} FROM entry" ledger`)
const written = async (node: string) => Number(await rows(node, "count(*) FILTER (WHERE kind = 'request')"))
const startLoad = async (node: string) => {
  const before = await written(node)
  return {
    before,
    ...startConstantLoad(
      { address: await story.address(node), host, ca, paths: ['/write'], kept: false },
      { rate: 8, patience: 100 },
    ),
  }
}
const nginxSays = async () =>
  (await Promise.all(['one', 'two'].map((node) => on(node, 'tail -n 9 /web/ledger/log/nginx.error 2>/dev/null || :')))).join('\n')
const running = (node: string) =>
  on(node, 'for each in /etc/service/ledger.*; do [ ! -e "$each" ] || sv status "$each"; done | cut -d : -f 1 | sort -u')

test('a move that fails on the new node leaves the old one as it was', async () => {
  await on('two', 'touch /etc/broken')
  const { code, stderr } = await kraft('move:live', '--to', 'two')
  await on('two', 'rm /etc/broken')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('500')])
  expect(await visit('one', '/write')).toBe('one')
  expect([await running('one'), await on('one', 'ls /web/ledger/out-of-service 2>/dev/null || :')]).toEqual(['run', ''])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(ledger['kraftwerk.yaml'])
})

test('visitors of the old address meet no error and lose no write while all of it moves', async () => {
  const plan = await must('move:live', '--to', 'two', '--dry-run')
  expect(plan.stdout).toMatch(
    /^Would move ledger from one to two:\n1\. two is bootstrapped.*\n2\. first sync of postgres \(.*\), files \(/,
  )
  expect(plan.stdout).toMatch(/^DNS: ledger\.example\.com .* has to lead to 10\.77\.\S+$/m)
  const about = await visit('one', '/about')
  const load = await startLoad('one')
  const { stdout } = await must('move:live', '--to', 'two')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect([await written('two'), [...new Set(report.periods.flatMap((period) => [...period.keys()]))].sort()]).toEqual([
    load.before + report.answered,
    ['one', 'two'],
  ])
  const [last, first] = (await rows('two', "max(id) FILTER (WHERE node = 'one'), min(id) FILTER (WHERE node = 'two')")).split('|')
  expect(Number(last)).toBeLessThan(Number(first))
  expect(await rows('two', "bool_or(kind = 'tick' AND node = 'two')")).toBe('t')

  expect(stdout).toMatch(/kraftwerk\.yaml:\d+:\d+ names two now: commit it/)
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(ledger['kraftwerk.yaml']?.replace('[one] }', '[two] }'))
  // The same secret key and variables; the visitor is who came to the old node.
  const [, key, colour, visitor] = about.split(' ')
  expect((await visit('two', '/about')).split(' ').slice(0, 4)).toEqual(['two', key, colour, visitor])
  expect((await visit('one', '/about')).split(' ').slice(0, 4)).toEqual(['two', key, 'red', `${visitor},`])
  expect(await visit('one', '/uploads/a.txt')).toBe('up\n')
  expect(await on('two', 'cat /web/ledger/shared/media/own.txt')).toBe('one')
  expect([await running('one'), await running('two')]).toEqual(['down', 'run'])
})

test('whoever has an older kraftwerk.yaml can not deploy to the node that it has left', async () => {
  const yaml = await readFile(join(project, 'kraftwerk.yaml'), 'utf8')
  await writeFile(join(project, 'kraftwerk.yaml'), ledger['kraftwerk.yaml'] ?? '')
  for (const task of ['deploy', 'reload']) {
    const { code, stderr } = await kraft(`${task}:live`)
    expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('ledger has moved from here to two')])
  }
  await writeFile(join(project, 'kraftwerk.yaml'), yaml)
  expect(await running('one')).toBe('down')
})

test('a kraft that is killed in the pause costs no request; repeated, the move goes on, here back to where it came from', async () => {
  const load = await startLoad('two')
  const cut = startKraft(['move:live', '--to', 'one', '--pause', '8'], { cwd: project, env: story.env })
  await cut.says('> Last sync')
  cut.child.kill('SIGKILL')
  await cut.ended
  expect(
    await on('two', 'while [ -e /run/web/ledger/move/hold ]; do sleep 0.1; done; cat /web/ledger/out-of-service/moved 2>&1 || :'),
  ).toContain('No such file')
  expect(await visit('two', '/write')).toBe('two')
  expect(await running('two')).toBe('run')
  expect(await visit('one', '/write')).toBe('two')

  await must('move:live', '--to', 'one')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect(await written('one')).toBe(load.before + report.answered + 2)
  expect([await running('one'), await running('two'), await visit('two', '/write')]).toEqual(['run', 'down', 'one'])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toBe(ledger['kraftwerk.yaml'])
})

test('what is left on the other node is removed when it is asked for', async () => {
  await must('move:live', '--remove-old', '--yes')
  expect(await on('two', 'ls /web /etc/kraftwerk /etc/nginx/sites-enabled | grep ledger || :')).toBe('')
  expect(await visit('one', '/write')).toBe('one')
  const again = await kraft('move:live', '--remove-old', '--yes')
  expect([again.code, failure(again.stderr)]).toEqual([1, expect.stringContaining('ledger has not moved here')])
})

test('a service that could not be moved stays as it was, and nothing is left of what was on its way', async () => {
  // A disk with too little room for a load, but enough for a dump: what is above is small, what is below is all that was there.
  await on(
    'one',
    `mkdir /run/small && mount -t tmpfs -o size=90m none /run/small && mkdir /run/small/up /run/small/work
     mount -t overlay -o lowerdir=/var/lib,upperdir=/run/small/up,workdir=/run/small/work none /var/lib`,
  )
  const { code, stderr } = await kraft('move:live', '--service', 'postgres', '--to', 'two')
  await on('one', 'umount -l /var/lib; umount /run/small')
  expect([code, failure(stderr)]).toEqual([1, expect.stringMatching(/A load of this bundle wants \d+ MB free/)])
  expect(await on('one', 'ls -A /web/ledger/dump')).toBe('')
  expect([await visit('one', '/write'), await running('one')]).toEqual(['one', 'run'])
})

test('the database alone goes to a node of its own, with no error and no write lost', async () => {
  const plan = await must('move:live', '--service', 'postgres', '--to', 'two', '--dry-run')
  expect(plan.stdout).toMatch(/^Would move postgres of ledger to two:\n1\. two is bootstrapped, serves postgres for one/)
  const { code, stderr } = await kraft('move:live', '--service', 'files', '--to', 'two')
  expect([code, failure(stderr)]).toEqual([2, expect.stringContaining('files is always on the node that uses it')])

  const load = await startLoad('one')
  await must('move:live', '--service', 'postgres', '--to', 'two')
  const report = await load.stop()
  expect(report.failures, await nginxSays()).toEqual({})
  expect(await written('two')).toBe(load.before + report.answered)
  expect(await visit('one', '/write')).toBe('one')
  expect(await written('two')).toBe(load.before + report.answered + 1)
  expect([await running('one'), await running('two')]).toEqual(['run', ''])
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toContain('nodes: { web: [one], db: [two] } } # where it is')
  await must('deploy:live')
  expect(await visit('one', '/write')).toBe('one')
})

test('a site that is closed for maintenance moves with its certificate by ACME, and opens where it is then', async () => {
  const cwd = join(story.home, 'diary')
  await writeFiles(cwd, diary(pebble.settings))
  await pebble.point('diary.test', await story.address('one'))
  await story.must(['deploy:live'], { cwd })
  const look = async (node: string, path = '/visit') => {
    const { status, text } = await ask(await story.address(node), {
      host: 'diary.test',
      path,
      ca: await readFile(pebble.root, 'utf8'),
    })
    return status === 200 ? text : `${status}`
  }
  expect(await look('one')).toBe('one 1 1')
  await on(
    'one',
    'echo up >/web/diary/uploads/a.txt; chown diary: /web/diary/uploads/a.txt; echo "# of one" >>/etc/kraftwerk/diary/https/on.conf',
  )
  const serial = 'openssl x509 -noout -serial -in /etc/kraftwerk/diary/https/acme-*/certs/site/cert.pem'
  const first = await on('one', serial)
  await story.must(['maintenance:live', 'on', '--message', 'Back at noon'], { cwd })

  await story.must(['move:live', '--to', 'two'], { cwd })
  expect([await look('one'), await look('two')]).toEqual(['503', '503'])
  // The same certificate; what nginx on each node is told is that node's own.
  expect([await on('two', serial), await on('two', 'cat /etc/kraftwerk/diary/https/on.conf')]).toEqual([
    first,
    expect.not.stringContaining('of one'),
  ])
  await story.must(['maintenance:live', 'off'], { cwd })
  expect([await look('one'), await look('two'), await look('one', '/uploads/a.txt')]).toEqual(['two 2 2', 'two 3 3', 'up\n'])

  // Its name leads to the old node still, and a new certificate comes all the same.
  await on('two', '/etc/kraftwerk/.https renew diary --force')
  expect(await on('two', serial)).not.toBe(first)

  await story.must(['move:live', '--service', 'redis', '--to', 'one'], { cwd })
  expect([await look('one'), await look('two')]).toEqual(['two 4 4', 'two 5 5'])
  expect(await on('two', 'ls -A /web/diary/dump')).toBe('')
})

test('a kraft that is killed at any moment of a move leaves a site that answers, and the next one goes on', async () => {
  const cwd = join(story.home, 'note')
  await writeFiles(cwd, note)
  await story.must(['deploy:live'], { cwd })
  const look = async (node: string) => {
    const address = await story.address(node)
    return (await ask(address, { host: address, path: '/' })).text
  }
  // What comes behind the switch is last: nothing before it is done again.
  const tried = moments.slice(0, killed.count).sort((one, other) => Number(one === late) - Number(other === late))
  for (const said of tried) {
    const cut = startKraft(['move:live', '--to', 'two', '--pause', '4'], { cwd, env: story.env })
    await cut.says(`> ${said}`)
    cut.child.kill('SIGKILL')
    await cut.ended
    expect(['one', 'two'], said).toContain(await look('one'))
  }
  const { stdout } = await story.must(['move:live', '--to', 'two'], { cwd })
  expect(stdout).toContain('It has no domain: visitors find it at ')
  expect([await look('one'), await look('two')]).toEqual(['two', 'two'])
  await killed.write({ moments: tried })
})
