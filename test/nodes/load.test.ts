import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { type Header, pack } from 'tar-stream'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { forgeBundle } from '../rig/forge-bundle.js'
import { ask } from '../rig/http.js'
import { call } from '../rig/kraft.js'
import { cutNetwork } from '../rig/network-cut.js'
import { cutPower, powerOn } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A load that is disturbed at any moment: the live data are those of before, all of them, and the next load works. The service `slow`
// is swapped last, and takes as long as /etc/slow is there.
const yaml = (more = '') => `name: depot
domain: depot.test
wsgi: depot.wsgi:application
packages: []
workers: 2
services: [postgres, files, slow]
${more}
environments:
  stage: { nodes: [one] }
  live: { live: true, name: depot-live, domain: live.test, nodes: [one] }
`
const kraftfile = `import { service, sh } from 'kraftwerk'
const at = ({ home }, what) => \`\${home}/slow.\${what}\`
export const slow = service({
  name: 'slow',
  setup: (place) => [{ title: 'Slow', check: sh\`test -e \${at(place, 'live')}\`, apply: sh\`echo first >\${at(place, 'live')}\` }],
  data: {
    member: 'slow.txt',
    namedByOthers: true,
    dump: (place) => sh\`
      while [ -e /etc/slow-dump ]; do sleep 0.1; done
      cp \${at(place, 'live')} "$KRAFT_OUT"
      echo lines 1
    \`,
    count: () => sh\`echo lines 1\`,
    beside: (place) => sh\`
      cp "$KRAFT_IN" \${at(place, 'beside')}
      while [ -e /etc/fill ]; do head -c 10M /dev/zero >>\${at(place, 'beside')}; sleep 0.05; done
      while [ -e /etc/slow-beside ]; do sleep 0.1; done
    \`,
    countBeside: () => sh\`echo lines 1\`,
    swap: (place) => sh\`
      mv \${at(place, 'live')} \${at(place, 'former')}
      while [ -e /etc/slow ]; do sleep 0.1; done
      mv \${at(place, 'beside')} \${at(place, 'live')}
    \`,
    undo: (place) => sh\`
      if [ -e \${at(place, 'former')} ]; then
        if [ -e \${at(place, 'live')} ]; then mv \${at(place, 'live')} \${at(place, 'beside')}; fi
        mv \${at(place, 'former')} \${at(place, 'live')}
      fi
    \`,
    keep: (place) => sh\`if [ -e \${at(place, 'beside')} ]; then mv \${at(place, 'beside')} \${at(place, 'former')}; fi\`,
    forget: (place) => sh\`rm -f \${at(place, 'former')}\`,
    discard: (place) => sh\`rm -f \${at(place, 'beside')}\`,
  },
  destroy: ({ home }) => [{ title: 'No slow', check: sh\`test ! -e \${home}/slow.live\`, apply: sh\`rm -f \${home}/slow.*\` }],
})
`
const files: Files = {
  'kraftwerk.yaml': yaml(),
  'kraftfile.ts': kraftfile,
  'package.json': '{ "type": "module" }',
  'depot/__init__.py': '',
  'depot/wsgi.py': `import subprocess
def application(environ, start_response):
    asked = subprocess.run(['psql', '-XAtqc', 'SELECT count(*) FROM word'], capture_output=True, text=True)
    start_response('200 OK' if asked.returncode == 0 else '500 No', [('Content-Type', 'text/plain')])
    return [(asked.stdout + asked.stderr).strip().encode()]
`,
}

let story: Story
let project: string
let address: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'depot')
  await writeFiles(project, files)
  await mkdir(join(project, 'node_modules'))
  await symlink(join(import.meta.dirname, '../..'), join(project, 'node_modules/kraftwerk'))
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('health: { path: /, status: [200, 500] }'))
  await must('deploy:stage')
  await put('new')
  await must('dump:stage', 'new.bundle')
  await put('old')
})
afterAll(() => story?.remove())
afterEach(() => root('rm -f /etc/slow /etc/slow-beside /etc/slow-dump /etc/fill'))

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const root = async (script: string) => (await story.onNode('one', script)).trim()
/** Runs bash as the instance, in its environment. */
const as = async (script: string, where = 'stage') => (await must(`run:${where}`, '--', 'bash', '-ec', script)).stdout.trim()
/** All three services hold this word. */
const put = async (word: string, where = 'stage', name = 'depot') => {
  await as(
    `psql -XAtqc "DROP TABLE IF EXISTS word; CREATE TABLE word AS SELECT '${word}' AS text"; echo ${word} >"$UPLOADS_PATH/word"`,
    where,
  )
  await root(`echo ${word} >/web/${name}/slow.live`)
}
const state = (name = 'depot') =>
  root(`runuser -u ${name} -- psql -XAtqc 'SELECT text FROM word' ${name}; cat /web/${name}/uploads/word /web/${name}/slow.live`)
const all = (word: string) => `${word}\n${word}\n${word}`
const left = () =>
  root(`cd /web/depot; ls -A dump . | grep -e exchange -e load- -e beside || :
    runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname LIKE '%+beside'"`)

/** Waits until a load has come so far that this holds on the node. */
async function reached(running: ReturnType<typeof startKraft>, test: string): Promise<void> {
  let over = ''
  void running.ended.then(({ stderr }) => {
    over = `It ended before:\n${stderr}`
  })
  while (over === '' && (await root(`if ${test}; then echo there; fi`)) === '') await pause(50)
  expect(over).toBe('')
}
const inSwap = '[ -e /web/depot/dump/exchange ] && [ ! -e /web/depot/slow.live ]'

test('a load is undone, done again and settled, and each time all services change together', async () => {
  expect(await state()).toBe(all('old'))
  expect((await must('load:stage', 'new.bundle', '--yes')).stdout).toContain('kraft load:stage --undo')
  expect(await state()).toBe(all('new'))
  await put('newer')
  expect((await must('load:stage', '--undo', '--yes')).stdout).toMatch(
    /postgres and files and slow are as before the data of depot of/,
  )
  expect(await state()).toBe(all('old'))
  await must('load:stage', '--undo', '--yes')
  expect(await state()).toBe(all('newer'))
  await must('load:stage', '--undo', '--yes')
  await must('load:stage', '--drop-old', '--yes')
  const again = await kraft('load:stage', '--undo', '--yes')
  expect([again.code, failure(again.stderr)]).toEqual([1, expect.stringContaining('depot has no data that a load put aside')])
  expect([await state(), await left()]).toEqual([all('old'), ''])
  expect(await root(`runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname LIKE 'depot%'"`)).toBe(
    'depot',
  )
})

test('a bundle stays on its node, for root alone, and is loaded from there', async () => {
  await put('kept')
  const { stdout } = await must('dump:stage', '--on-node', '--json')
  const { path, name } = JSON.parse(stdout)
  expect(await root(`stat -c '%U %a' ${path}; ls -A /web/depot/dump; tar -tf ${path} | tail -n 1`)).toBe(
    `root 600\n${name}.bundle\nmanifest.sha256`,
  )
  await put('later')
  const wrong = await kraft('load:stage', '--on-node', 'other', '--yes')
  expect(failure(wrong.stderr)).toContain(`error: one keeps no bundle other\nnext:  It has ${name}`)
  await must('load:stage', '--on-node', '--yes')
  expect(await state()).toBe(all('kept'))
  await root(`rm ${path}`)
  await must('load:stage', '--drop-old', '--yes')
  await put('old')
})

test('a file that grows while it is dumped is said', async () => {
  const large = '/web/depot/uploads/large'
  await root(`truncate -s 50M ${large}; systemd-run --quiet --unit growing sh -c 'while :; do echo x >>${large}; done'`)
  const { stderr } = await must('dump:stage', 'growing.bundle', '--only', 'files')
  // Whoever was to get it takes no more.
  expect((await story.bash('set -o pipefail; kraft dump:stage - | head -c 9', { cwd: project })).code).toBe(1)
  await root(`systemctl stop growing; rm ${large}`)
  expect(stderr).toContain('./large: file changed as we read it')
  await expect.poll(() => root('ls /web/depot/dump | grep ^2 || :'), { timeout: 30_000 }).toBe('')
})

test('data of another project that has the name are neither read nor changed', async () => {
  const owner = '/etc/kraftwerk/depot/owner'
  await root(`cp -p ${owner} /root/owner; echo 'depot live' >${owner}`)
  for (const words of [
    ['dump:stage', 'other.bundle'],
    ['load:stage', 'new.bundle', '--yes'],
    ['load:stage', '--undo', '--yes'],
    ['reload:stage'],
  ]) {
    const { code, stderr } = await kraft(...words)
    expect([words, code, stderr]).toEqual([words, 1, expect.stringContaining('depot belongs to another project or environment')])
  }
  await root(`mv /root/owner ${owner}`)
  expect([await state(), await left()]).toEqual([all('old'), ''])
})

test('uploads that are a file system of their own are told before anything is sent', async () => {
  await root('mount -t tmpfs tmpfs /web/depot/uploads')
  const { code, stderr } = await kraft('load:stage', 'new.bundle', '--yes')
  await root('umount /web/depot/uploads')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('/web/depot/uploads is a file system of its own')])
  expect(stderr).not.toContain('Send the bundle')
  expect([await state(), await left()]).toEqual([all('old'), ''])
})

test('an encrypted bundle is opened by its key alone, from a file and from a pipe', async () => {
  const key = await generateX25519Identity()
  await writeFile(join(project, 'key.txt'), `${key}\n`)
  const recipient = await identityToRecipient(key)
  await must('dump:stage', 'closed.bundle.age', '--recipient', recipient)
  expect((await readFile(join(project, 'closed.bundle.age'))).includes('manifest.json')).toBe(false)
  const closed = await kraft('load:stage', 'closed.bundle.age', '--yes')
  expect([closed.code, failure(closed.stderr)]).toEqual([2, expect.stringContaining('closed.bundle.age is encrypted')])
  await put('newer')
  await must('load:stage', 'closed.bundle.age', '--identity', 'key.txt', '--yes')
  expect(await state()).toBe(all('old'))
  const pipe = `set -o pipefail; kraft dump:stage - --recipient ${recipient} --only files | kraft load:stage - --identity key.txt --yes`
  expect((await story.bash(pipe, { cwd: project })).code).toBe(0)
  expect([await state(), await left()]).toEqual([all('old'), ''])
})

test('the power goes in the middle of a swap: the node comes back with what was live, and the next load works', async () => {
  await root('touch /etc/slow')
  const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
  await reached(running, inSwap)
  expect(await root('cat /web/depot/uploads/word')).toBe('new')
  await cutPower(story, 'one')
  await running.ended
  await powerOn(story, 'one')
  await expect.poll(() => root('ls -d /web/depot/dump/exchange 2>/dev/null || :'), { timeout: 240_000 }).toBe('')
  expect(await state()).toBe(all('old'))
  expect((await ask(address, { host: 'depot.test', path: '/' })).text).toBe('1')
  await root('rm /etc/slow')
  await must('load:stage', 'new.bundle', '--yes', '--wait', '60')
  expect([await state(), await left()]).toEqual([all('new'), ''])
  await put('old')
})

test.each([
  ['kraft is killed', async (running: ReturnType<typeof startKraft>) => void running.child.kill('SIGKILL')],
  ['the network is cut', async () => cutNetwork(story, 'one')],
])('%s in the middle of a swap: the node ends it alone, and the next load works', async (_, disturb) => {
  await root('touch /etc/slow')
  const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
  await reached(running, inSwap)
  const mend = await disturb(running)
  await running.ended
  await mend?.()
  expect(await root(`if ${inSwap}; then echo there; fi`)).toBe('there')
  await root('rm /etc/slow')
  await expect.poll(() => root('ls -d /web/depot/dump/exchange 2>/dev/null || :'), { timeout: 240_000 }).toBe('')
  expect(await state()).toBe(all('new'))
  await put('old')
})

test('kraft is killed while it sends: what is loaded meanwhile ends with it, and the next load works', async () => {
  // Nothing arrives.
  await root(`printf '%s\n' '#!/bin/sh' 'while [ -e /etc/slow-tar ]; do sleep 0.1; done' 'exec /usr/bin/tar "$@"' >/usr/local/bin/tar
    chmod +x /usr/local/bin/tar; touch /etc/slow-tar`)
  const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
  await reached(running, 'pgrep -f "[d]ump/jobs/lead" && pgrep -f "[/]usr/local/bin/tar -x"')
  running.child.kill('SIGKILL')
  await running.ended
  await expect.poll(() => root('pgrep -f "[d]ump/jobs" || :'), { timeout: 60_000 }).toBe('')
  await root('rm /usr/local/bin/tar /etc/slow-tar')
  expect(await state()).toBe(all('old'))
  await must('load:stage', 'new.bundle', '--yes', '--wait', '60')
  expect([await state(), await left()]).toEqual([all('new'), ''])
  await put('old')
})

test('the database dies, or the disk is full, while data are loaded beside: what is live stays, and the next load works', async () => {
  await root('touch /etc/slow-beside')
  const running = startKraft(['load:stage', 'new.bundle', '--yes', '--verbose'], { cwd: project, env: story.env })
  await reached(running, '[ -e /web/depot/slow.beside ]')
  await root('pkill -KILL -u postgres; systemctl stop postgresql@15-main; rm /etc/slow-beside')
  const { code, stderr } = await running.ended
  expect([code, failure(stderr)]).toEqual([
    1,
    expect.stringMatching(/(Load postgres beside the live data|Put the former data away): failed/),
  ])
  await root('systemctl start postgresql@15-main')
  expect(await state()).toBe(all('old'))

  await root('cp -a /web /root/kept; mount -t tmpfs -o size=400m tmpfs /web; cp -a /root/kept/. /web/; echo 1 >/etc/fill')
  const full = await kraft('load:stage', 'new.bundle', '--yes')
  expect([full.code, failure(full.stderr)]).toEqual([1, expect.stringContaining('It becomes larger than the room that there is')])
  expect([await state(), await left()]).toEqual([all('old'), ''])
  await root('rm /etc/fill; umount -l /web')
  await must('load:stage', 'new.bundle', '--yes')
  expect([await state(), await left()]).toEqual([all('new'), ''])
  await put('old')
})

test('what is not what it says it is, though all sums are right, is refused with its reason, and every byte that is live stays', async () => {
  const live = () =>
    root(`cd /web/depot
      { runuser -u depot -- pg_dump depot | grep -v restrict
        find uploads slow.live -printf '%p %y %m %u %s %l\\n' | sort; find uploads slow.live -type f -exec sha256sum {} +
        ls -A . home dump; ls /etc/cron.d; } | sha256sum`)
  const before = await live()
  const shell = async (script: string) => (await call('sh', ['-ec', script], { cwd: project, env: story.env })).bytes
  const dumped = await shell('tar -xOf new.bundle postgres.dump.zst')
  const archive = (...entries: readonly Partial<Header>[]) => {
    const made = pack()
    for (const header of entries) made.entry({ name: 'word', ...header }, header.type === undefined ? 'new\n' : '')
    made.finalize()
    return buffer(made)
  }
  for (const [file, content, why] of [
    ['postgres.dump.zst', dumped.subarray(0, dumped.length / 2), /too short|end of file|could not read/],
    // A bomb, which nobody unpacks to its end.
    ['postgres.dump.zst', await shell('head -c 4G /dev/zero | zstd -q -1'), /not appear to be a valid archive/],
    ['files.tar', await archive({ name: '../home/.profile' }), /\.\.\/home\/\.profile: Member name contains '\.\.'/],
    ['files.tar', await archive({ name: '/etc/cron.d/x' }), /It names a path outside: \/etc\/cron\.d\/x/],
    [
      'files.tar',
      await archive({ name: 'out', type: 'symlink', linkname: '/web/depot/home' }, { name: 'out/.profile' }),
      /out\/\.profile: Cannot open/,
    ],
  ] as const) {
    await forgeBundle(join(project, 'new.bundle'), join(project, 'forged.bundle'), () => undefined, { [file]: content })
    const only = file === 'files.tar' ? 'files' : 'postgres'
    const { code, stderr } = await kraft('load:stage', 'forged.bundle', '--only', only, '--yes')
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)])
  }
  expect([await live(), await left()]).toEqual([before, ''])
})

test('visitors who come while data are swapped miss that moment alone', async () => {
  // When the journal of the swap was there, in milliseconds.
  await root(`systemd-run --quiet --unit watch sh -c '
    until [ -e /web/depot/dump/exchange ]; do sleep 0.005; done; date +%s%3N >/root/moment
    while [ -e /web/depot/dump/exchange ]; do sleep 0.005; done; date +%s%3N >>/root/moment'`)
  let stop = false
  let served = 0
  const failed: (readonly [began: number, ended: number])[] = []
  const visitors = (async () => {
    while (!stop) {
      const began = Date.now()
      const { status } = await ask(address, { host: 'depot.test', path: '/' })
      if (status === 200) served += 1
      else failed.push([began, Date.now()])
      await pause(20)
    }
  })()
  await must('load:stage', 'new.bundle', '--yes')
  stop = true
  await visitors
  const [first = 0, last = 0] = (await root('cat /root/moment')).split('\n').map(Number)
  expect(last).toBeGreaterThan(first)
  expect(failed.filter(([began, ended]) => ended < first - 50 || began > last + 50)).toEqual([])
  expect(served).toBeGreaterThan(failed.length)
  await put('old')
})

test('what comes from another environment is sanitized before it is live, by a pipe and by sync', async () => {
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('health: { path: /, status: [200, 500] }'))
  await must('deploy:live', '--yes')
  await put('secret', 'live', 'depot-live')
  await mkdir(join(project, 'scripts'), { recursive: true })
  await writeFile(join(project, 'scripts/clean.sql'), "UPDATE word SET text = 'clean'; SELECT 'was ' || count(*) FROM word;\n")
  const clean = `sanitize: [scripts/clean.sql, 'echo clean >"$UPLOADS_PATH/word"; psql -XAtqc "SELECT current_database()"']`
  await writeFile(join(project, 'kraftwerk.yaml'), yaml(clean))
  const { stderr, stdout } = await must('sync:live', 'stage', '--yes')
  expect(stderr).toContain('was 1')
  expect(stderr).toContain('depot+beside')
  expect(stdout).toContain("postgres and files and slow of depot are as depot-live's of")
  expect([await state(), await state('depot-live')]).toEqual(['clean\nclean\nsecret', all('secret')])
  expect((await ask(address, { host: 'depot.test', path: '/' })).text).toBe('1')
  await put('old')
  // One's own data go in as they are.
  await must('load:stage', 'new.bundle', '--yes')
  expect(await state()).toBe(all('new'))
  const piped = await story.bash('set -o pipefail; kraft dump:live - --freeze | kraft load:stage - --yes', { cwd: project })
  expect([piped.code, await state()]).toEqual([0, 'clean\nclean\nsecret'])

  // What fails there changes nothing, and a live environment wants more than a yes.
  await put('old')
  await writeFile(join(project, 'scripts/clean.sql'), 'UPDATE nothing SET text = 1;\n')
  const failed = await kraft('sync:live', 'stage', '--yes')
  expect([failed.code, failure(failed.stderr)]).toEqual([1, expect.stringContaining('relation "nothing" does not exist')])
  expect([await state(), await left()]).toEqual([all('old'), ''])
  expect((await kraft('sync:stage', 'live')).stderr).toContain('loses data and asks first')
  expect((await kraft('sync:stage', 'stage', '--yes')).stderr).toContain('are the same environment')
  expect(await root('ls /web/depot-live/dump')).toBe('')
  await must('destroy:live', '--yes')
})

test('while a dump holds what writes, nobody writes, and all goes on afterwards, however it ends', async () => {
  const writer = `import time
while True:
    open("/web/depot/uploads/count", "w").write(str(time.time()))
    time.sleep(0.01)
`
  await root(`systemd-run --quiet --unit writer --uid depot --gid depot python3 -c '${writer}'`)
  const frozen = () => root("ps -u depot -o stat= | grep -c '^T' || :")
  const dump = async (...more: string[]) => {
    await root('touch /etc/slow-dump')
    const running = startKraft(['dump:stage', 'frozen.bundle', '--freeze', ...more], { cwd: project, env: story.env })
    await reached(running, "ps -u depot -o stat= | grep -q '^T'")
    return running
  }
  const held = await dump()
  const before = await root('cat /web/depot/uploads/count')
  expect(await root('sleep 0.3; cat /web/depot/uploads/count')).toBe(before)
  await root('rm /etc/slow-dump')
  expect((await held.ended).code).toBe(0)
  expect(await frozen()).toBe('0')

  // The script dies.
  const killed = await dump()
  await root('pkill -KILL -f "[k]raft-apply"')
  expect((await killed.ended).code).not.toBe(0)
  await expect.poll(frozen, { timeout: 60_000 }).toBe('0')

  // It takes longer than visitors would wait.
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('timeout: 4'))
  const late = await dump()
  await expect.poll(frozen, { timeout: 60_000 }).toBe('0')
  await root('rm /etc/slow-dump')
  const { code, stderr } = await late.ended
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('What writes can be held for 2 s')])
  expect(await root('systemctl is-active writer; systemctl stop writer; ls /web/depot/dump')).toMatch(/^active(\nloaded)?$/)
  expect((await ask(address, { host: 'depot.test', path: '/' })).status).toBe(200)
})

test('a deploy with a snapshot is taken back with its data', async () => {
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('health: { path: / }\nsnapshot: true'))
  await must('deploy:stage')
  await writeFile(
    join(project, 'kraftwerk.yaml'),
    yaml(`health: { path: / }\nsnapshot: true\nrelease: psql -c "INSERT INTO word VALUES ('later')"`),
  )
  const newest = JSON.parse((await must('deploy:stage', '--json')).stdout).release
  await as('echo later >"$UPLOADS_PATH/word"; echo two >"$UPLOADS_PATH/second"')
  // Where the data can't be put back, the code is back all the same, and there is a way for the data alone.
  const member = `/web/depot/dump/before-${newest}/slow.txt`
  await root(`echo more >>${member}`)
  const half = await kraft('rollback:stage', '--with-data', '--yes')
  const [, id = ''] = /The code is back, .*then: kraft rollback:stage (\S+) --with-data\n/.exec(half.stderr) ?? []
  expect([half.code, half.stderr, id < newest]).toEqual([1, expect.stringContaining('slow.txt is not what'), true])
  await root(`sed -i '$d' ${member}`)
  const { stderr, stdout } = await must('rollback:stage', id, '--with-data', '--yes')
  expect(stderr).toContain('postgres: rows.public.word 1 then, 2 now')
  expect(stderr).toMatch(/files: files \d then, \d now/)
  expect(stdout).toContain('is back at release')
  expect(await state()).toBe(all('old'))
  // Its own snapshot goes with each release.
  expect((await root('ls /web/depot/dump')).split('\n').filter((each) => each.startsWith('before-')).length).toBe(2)
  const none = await kraft('rollback:stage', newest, '--with-data', '--yes')
  expect([none.code, failure(none.stderr)]).toEqual([1, expect.stringContaining('There is no snapshot of the data')])
})
