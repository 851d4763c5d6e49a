import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { failure } from '../rig/cli.js'
import {
  address,
  all,
  as,
  beginDepot,
  hurry,
  kraft,
  left,
  must,
  project,
  put,
  reached,
  root,
  state,
  story,
  yaml,
} from '../rig/depot.js'
import { ask } from '../rig/http.js'
import { startKraft } from '../rig/running.js'
import { disturbedLoads } from './load/disturbed.js'

beforeAll(beginDepot)
afterAll(() => story?.remove())
afterEach(hurry)

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

test('a load and its undo leave stopped what is stopped', async () => {
  const status = async () => (await ask(address, { host: 'depot.test', path: '/' })).status
  await must('stop:stage')
  for (const words of [['new.bundle'], ['--undo']]) {
    await must('load:stage', ...words, '--yes')
    expect([await state(), await status()]).toEqual([all(words[0] === '--undo' ? 'old' : 'new'), 503])
  }
  await must('start:stage')
  expect(await status()).toBe(200)
  await must('load:stage', '--drop-old', '--yes')
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

disturbedLoads()

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
