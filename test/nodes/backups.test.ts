import { access, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { proveBundle } from '../../project/bundle.js'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { call } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { type S3, startS3 } from '../rig/s3.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A node makes backups by itself, in an S3 that checks signatures; what is there is tried, damaged, encrypted and restored.
let story: Story
let project: string
let s3: S3
let webhook: Server
const told: { readonly text: string; readonly result: string; readonly error: string | null }[] = []
let key: { readonly file: string; readonly recipient: string }

const yamlOf = (more = '') => `name: ledger
wsgi: ledger.wsgi:application
packages: []
workers: 1
services: [sqlite, files, postgres, redis]
environments: { stage: { nodes: [one] } }
backup:
  schedule: 15 2 * * *
  endpoint: ${s3.endpoint}
  bucket: ${s3.bucket}
  prefix: servers
  access_key: ${s3.accessKey}
  secret_key: { command: cat secret }
  keep: { daily: 1, weekly: 1, monthly: 1 }
  notify:
    - webhook: http://${gateway(stateFrom(story.env))}:${port()}/told/s3cr3t-path
    - { command: 'echo "$KRAFT_RESULT $KRAFT_TEXT" >>~/told', on: [failure, success] }
${more}`
const files = (): Files => ({
  'kraftwerk.yaml': yamlOf(),
  secret: s3.secretKey,
  '.kraftignore': 'secret\n',
  'ledger/__init__.py': '',
  'ledger/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'open']
`,
})

beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await provisionPrepared(story, ['one'])
  s3 = await startS3(story.env)
  webhook = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      told.push(JSON.parse(body))
      response.end()
    })
  })
  await new Promise<void>((resolve) => webhook.listen(0, gateway(stateFrom(story.env)), resolve))
  await ensurePackages(['age'])
  await writeFiles(project, files())
  await must('deploy:stage')
  await as(`sqlite3 "$SQLITE_PATH" "CREATE TABLE entry (text); INSERT INTO entry VALUES ('one'), ('two')"
    psql -XAtqc "CREATE TABLE word AS SELECT unnest(ARRAY['a word', 'another']) AS text"
    redis-cli -s "$REDIS_SOCKET" set key value
    redis-cli -s "$REDIS_SOCKET" -n 3 rpush list a b
    head -c 20000000 /dev/urandom >"$UPLOADS_PATH/large"; echo small >"$UPLOADS_PATH/small"`)
})
afterAll(async () => {
  webhook?.close()
  await s3?.stop()
  await story?.remove()
})

function port(): number {
  const address = webhook.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const root = async (script: string) => (await story.onNode('one', script)).trim()
const as = async (script: string) => (await must('run:stage', '--', 'bash', '-ec', script)).stdout.trim()
const list = async () => JSON.parse((await must('backups:stage', '--json')).stdout)
const result = async () => JSON.parse(await root('cat /etc/kraftwerk/ledger/backup/result.json'))
const data = () =>
  as(`sqlite3 "$SQLITE_PATH" "SELECT * FROM entry"; psql -XAtqc "SELECT * FROM word ORDER BY 1"
    redis-cli -s "$REDIS_SOCKET" get key; redis-cli -s "$REDIS_SOCKET" -n 3 lrange list 0 -1; cd "$UPLOADS_PATH"; sha256sum *`)
const lose = () =>
  as(`sqlite3 "$SQLITE_PATH" "DELETE FROM entry"; psql -XAtqc "DROP TABLE word"
    redis-cli -s "$REDIS_SOCKET" flushall; rm "$UPLOADS_PATH/small"`)
const bash = (script: string) => call('bash', ['-euo', 'pipefail', '-c', script], { cwd: project, env: story.env })
const exists = (file: string) =>
  access(join(project, file)).then(
    () => true,
    () => false,
  )
// The databases first, because their rows name files.
const all = ['sqlite', 'postgres', 'redis', 'files']
const folder = 'servers/ledger/stage'
const unit = 'kraft-backup@ledger.service'
const old = {
  id: '20250101-000000',
  time: '2025-01-01T00:00:00Z',
  key: '20250101-000000.bundle',
  size: 3,
  sha256: '',
  release: '-',
  services: [],
  encrypted: false,
}

test('the unit of the timer makes a backup with no client, and no secret is seen anywhere', async () => {
  expect(await root('systemctl show -p TimersCalendar --value kraft-backup@ledger.timer')).toContain('*-*-* 02:15:00')
  expect(await root('systemctl is-active kraft-backup@ledger.timer kraft-backup-check@ledger.timer')).toBe('active\nactive')
  // What any user could see of its processes meanwhile.
  const seen = await root(`systemctl start --no-block ${unit}
    while [ "$(systemctl show -p ActiveState --value ${unit})" = activating ]; do
      for each in /proc/[0-9]*; do cat $each/cmdline $each/environ 2>/dev/null | tr '\\0' ' '; done
    done
    systemctl show -p Result --value ${unit}
    journalctl -o cat -u ${unit}; journalctl -o cat | tail -n 500`)
  expect(seen).toContain('backup.py run')
  expect(seen).toMatch(/\d{8}-\d{6}: 2\d{7} bytes in S3, and there as they were sent/)
  expect(seen).not.toContain(s3.secretKey)
  expect(seen).not.toContain('s3cr3t-path')
  const held = await root(
    `grep -rlsF '${s3.secretKey}' /etc /var/log /run /tmp /var/tmp /web /usr/local | xargs stat -c '%n %U %a'`,
  )
  expect(held).toBe('/etc/kraftwerk/ledger/backup/secrets.json root 600')

  const [backup, ...others] = await list()
  expect(others).toEqual([])
  expect(backup).toMatchObject({ whole: true, encrypted: false, services: all, size: expect.any(Number) })
  expect(await s3.python(`print(s3.head_object(Bucket=bucket, Key='${folder}/${backup.id}.bundle')['ETag'])`)).toMatch(/-2"$/)
  expect(await as('cat ~/told')).toBe(
    `success ledger stage: backup ${backup.id} is done in ${(await result()).success.seconds} s (${backup.size} bytes)`,
  )
  expect(told).toEqual([])
  expect(await root('ls -A /web/ledger/dump; ls -d /run/kraft-backup-* 2>/dev/null || :')).toBe('')
})

test('what it made is a bundle as dump makes it', async () => {
  const { stdout } = await must('backups:stage', 'fetch', 'newest', 'fetched.bundle')
  expect(stdout).toContain('fetched.bundle')
  const fetched = await proveBundle(join(project, 'fetched.bundle'))
  await must('dump:stage', 'dumped.bundle')
  const dumped = await proveBundle(join(project, 'dumped.bundle'))
  // What a moment adds of its own may be of another length.
  const told = ({ members, ...rest }: typeof fetched) => ({
    ...rest,
    time: '',
    members: members.map(({ file, service, counts }) => ({ file, service, counts })),
  })
  expect(told(fetched)).toEqual(told(dumped))
  expect(told(fetched).members).toMatchObject([
    { service: 'sqlite', counts: { 'rows.entry': 2 } },
    { service: 'postgres', counts: { 'rows.public.word': 2 } },
    { service: 'redis', counts: { 'keys.db0': 1, 'keys.db3': 1 } },
    { service: 'files', counts: { files: 2 } },
  ])
  const names = async (file: string) => (await call('tar', ['-tf', file], { cwd: project, env: story.env })).stdout
  expect(await names('fetched.bundle')).toBe(await names('dumped.bundle'))
  const before = await data()
  await lose()
  await must('load:stage', 'fetched.bundle', '--yes')
  expect(await data()).toBe(before)
})

test('a drill loads the newest beside the live data, compares, and leaves nothing', async () => {
  const before = await data()
  const { stdout } = await must('backups:stage', 'drill')
  expect(stdout).toMatch(
    /loads, and all that it should hold is there:\n {2}sqlite: 1 count as in the manifest\n {2}postgres: 1 count .*\n {2}redis: 2 counts.*\n {2}files: 2 counts/,
  )
  expect((await result()).drill).toMatchObject({ ok: true, id: (await list())[0].id })
  expect(await data()).toBe(before)
  expect(
    await root(
      `ls -A /web/ledger/dump | grep -vx loaded || :; cd /web/ledger; ls -dA sqlite/beside redis/besid[e] .uploads.beside 2>/dev/null || :
      runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname LIKE '%+beside'"; pgrep -f '[r]edis/beside' || :`,
    ),
  ).toBe('')
})

test('a key that S3 refuses is one clear error, seen by whoever looks and told to whoever asked for it', async () => {
  const { id } = (await list())[0]
  const swap = (from: string, to: string) => root(`sed -i 's|${from}|${to}|' /etc/kraftwerk/ledger/backup/secrets.json`)
  await swap(s3.secretKey, 'wrong')
  const said = 'S3 refuses the access key (SignatureDoesNotMatch)'
  for (const words of [['run'], ['fetch', id], []]) {
    const { code, stderr } = await kraft('backups:stage', ...words)
    expect([code, stderr]).toEqual([1, expect.stringContaining(said)])
    expect(stderr).not.toContain('Traceback')
  }
  await swap('wrong', s3.secretKey)
  expect((await result()).failure.reason).toContain(said)
  expect((await must('backups:stage')).stdout).toMatch(/^last backup 0 h ago, the last one FAILED \(S3 refuses the access key/)
  expect(told).toMatchObject([
    { result: 'failure', error: expect.stringContaining(said), text: expect.stringContaining('ledger stage: backup ') },
  ])
  expect(await as('tail -n 1 ~/told')).toContain(`failure ledger stage: backup`)
  expect(await root('ls -A /web/ledger/dump | grep -vx loaded || :')).toBe('')
})

test('one that is killed, and one that is overdue, is told as well', async () => {
  told.splice(0)
  await root(`cd /etc/kraftwerk/ledger/backup; systemctl start --no-block ${unit}
    until grep -q '"begun": {' result.json; do sleep 0.02; done
    systemctl kill -s KILL ${unit}
    while [ "$(systemctl show -p ActiveState --value ${unit})" != failed ]; do sleep 0.1; done`)
  expect((await result()).failure.reason).toBe('it was killed, or the node went down')
  const check = 'systemctl start kraft-backup-check@ledger.service'
  await root(`${check}; sed -i 's/"last": [0-9]*/"last": 1/' /etc/kraftwerk/ledger/backup/result.json; ${check}; ${check}`)
  expect(told.map(({ text }) => text.replace(/\d{8}-\d{6}/, 'ID'))).toEqual([
    'ledger stage: backup ID failed: it was killed, or the node went down',
    'ledger stage: a backup is overdue: the last good one is ID',
  ])
  const status = await kraft('status:stage')
  expect([status.code, status.stdout]).toEqual([
    1,
    expect.stringContaining('! one: A backup is overdue\n  Try it now: kraft backups:stage run'),
  ])
  // A good one of former days that no rule keeps, and a part of one.
  await s3.python(`for name in ('20250101-000000', '20250201-000000'):
    s3.put_object(Bucket=bucket, Key='${folder}/' + name + '.bundle', Body=b'old')
s3.put_object(Bucket=bucket, Key='${folder}/20250101-000000.json', Body='''${JSON.stringify(old)}''')`)
  expect((await must('backups:stage', 'run')).stdout).toMatch(/^Backup \d{8}-\d{6} of ledger is in S3/)
  expect((await must('backups:stage')).stdout).toMatch(/^last backup 0 h ago\n/)
  // What was sent before it was killed is gone.
  expect(await s3.python(`print(s3.list_multipart_uploads(Bucket=bucket).get('Uploads', []))`)).toBe('[]')
  // Those of an hour ago stay whatever comes, and of former days only those that are asked for.
  expect(await list()).toHaveLength(2)
  expect(await s3.python(`print(s3.list_objects_v2(Bucket=bucket, Prefix='${folder}/2025').get('Contents', []))`)).toBe('[]')
})

test('one that is damaged in S3 is refused, whatever is asked of it', async () => {
  const { id, size } = (await list())[0]
  const put = (body: string) => s3.python(`s3.put_object(Bucket=bucket, Key='${folder}/${id}.bundle', Body=${body})`)
  const whole = `s3.get_object(Bucket=bucket, Key='${folder}/${id}.bundle')['Body'].read()`
  await s3.python(`s3.put_object(Bucket=bucket, Key='kept', Body=${whole})`)
  const before = await data()
  await put(`(lambda held: held[:9000000] + bytes([held[9000000] ^ 1]) + held[9000001:])(${whole})`)
  for (const words of [
    ['fetch', id, 'damaged.bundle'],
    ['restore', id, '--yes'],
    ['drill', id],
  ]) {
    const { code, stderr } = await kraft('backups:stage', ...words)
    expect([code, stderr]).toEqual([1, expect.stringContaining(`backup ${id} is damaged in S3: ${size} bytes with the SHA-256 `)])
  }
  expect([await exists('damaged.bundle'), await exists('damaged.bundle.part')]).toEqual([false, false])
  expect((await result()).drill).toMatchObject({ ok: false, reason: expect.stringContaining('is damaged in S3') })
  await put("b'half of it'")
  expect((await must('backups:stage')).stdout).toContain('NOT WHOLE in S3')
  expect((await must('backups:stage', 'fetch', 'newest')).stdout).not.toContain(id)
  await put(`s3.get_object(Bucket=bucket, Key='kept')['Body'].read()`)
  // One that the node has no room for is not even fetched.
  const large = { ...old, id: '20250102-000000', size: 2 ** 50 }
  await s3.python(`s3.put_object(Bucket=bucket, Key='${folder}/${large.id}.json', Body=b'''${JSON.stringify(large)}''')`)
  const { code, stderr } = await kraft('backups:stage', 'drill', large.id)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/A load of this bundle wants \d+ MB free on/)])
  await s3.python(`s3.delete_object(Bucket=bucket, Key='${folder}/${large.id}.json')`)
  expect(await data()).toBe(before)
})

test('a load in the middle of a backup waits for nothing, and the backup begins anew; it waits for one that changes data, and fails in the end', async () => {
  const settings = '/etc/kraftwerk/ledger/backup/settings.json'
  const change = (what: string) =>
    root(`python3 -c '
import json
held = json.load(open("${settings}"))
dump = held["dump"]
${what}
json.dump(held, open("${settings}", "w"))'`)
  await change(
    `dump["steps"][-1]["apply"] = "while [ -e /root/slow ]; do sleep 0.1; done\\n" + dump["steps"][-1]["apply"] + "\\necho a file changed"`,
  )
  await as(`sqlite3 "$SQLITE_PATH" "INSERT INTO entry VALUES ('three')"`)
  await root(`touch /root/slow; systemctl start --no-block ${unit}
    until [ -e /web/ledger/dump/backup/sqlite.db.sha256 ]; do sleep 0.1; done`)
  await must('load:stage', 'fetched.bundle', '--only', 'sqlite', '--yes')
  expect(await root(`systemctl show -p ActiveState --value ${unit}`)).toBe('activating')
  await root(`rm /root/slow; while [ "$(systemctl show -p ActiveState --value ${unit})" = activating ]; do sleep 0.1; done`)
  expect(await root(`journalctl -o cat -u ${unit}`)).toContain('Dump files: a file changed')
  await must('backups:stage', 'fetch', 'newest', 'one-moment.bundle')
  const [sqlite] = (await proveBundle(join(project, 'one-moment.bundle'))).members
  expect([sqlite?.counts, (await result()).failure]).toEqual([{ 'rows.entry': 2 }, null])

  // One that was cut off stays until somebody puts it right, as a deploy does.
  await change('dump["patience"] = 0')
  await root('cd /web/ledger/dump; mkdir exchange; echo rm -rf /web/ledger/dump/exchange >exchange/undo')
  const said = 'A load is changing the data right now, or was cut off'
  const { code, stderr } = await kraft('backups:stage', 'run')
  expect([code, stderr]).toEqual([1, expect.stringContaining(said)])
  expect((await kraft('status:stage')).stdout).toContain(`the last one FAILED (${said}`)
  expect(await root('ls -A /web/ledger/dump | grep -vx loaded')).toBe('exchange')
  await must('deploy:stage')
  await must('backups:stage', 'run')
})

test('a dump that the disk has no room for is refused and leaves nothing', async () => {
  const folder = '/web/ledger/dump'
  await root(`mount -t tmpfs -o size=50m,mode=700 tmpfs ${folder}`)
  const small = await kraft('dump:stage')
  expect([small.code, small.stderr]).toEqual([
    1,
    expect.stringMatching(/This dump wants up to 1\d\d MB free on \/web\/ledger\/dump, where 50 MB are: \d\d MB too few/),
  ])
  await root(`mount -o remount,size=500m,nr_inodes=50 ${folder}`)
  const few = await kraft('backups:stage', 'run')
  expect([few.code, few.stderr]).toEqual([1, expect.stringMatching(/This dump wants 100 inodes free on \S+, where \d\d are/)])
  expect(await root(`ls -A ${folder}; umount ${folder}`)).toBe('')
})

test('a new node gets its data back from S3', async () => {
  const before = await data()
  await must('destroy:stage', '--yes')
  expect(await root('ls /etc/systemd/system/kraft-backup*@ledger.timer 2>/dev/null || echo none')).toBe('none')
  await must('deploy:stage')
  expect((await must('backups:stage')).stdout).toMatch(/^no backup yet\n/)
  await must('backups:stage', 'restore', 'newest', '--yes')
  expect(await data()).toBe(before)
})

test('encrypted ones are opened here alone, with the key that stays here', async () => {
  key = await newKey()
  await writeFile(join(project, 'kraftwerk.yaml'), yamlOf(`  encrypt: ${key.recipient}\n`))
  await must('deploy:stage')
  await must('backups:stage', 'run')
  const [backup] = await list()
  expect(backup).toMatchObject({ encrypted: true, whole: true })
  expect(await s3.python(`print(s3.get_object(Bucket=bucket, Key='${folder}/${backup.id}.bundle.age')['Body'].read(21))`)).toBe(
    "b'age-encryption.org/v1'",
  )
  expect((await must('backups:stage', 'fetch', 'newest')).stdout).toContain(`ledger-${backup.id}.bundle.age\nIt is encrypted`)
  await must('backups:stage', 'fetch', 'newest', 'opened.bundle', '--identity', key.file)
  expect((await proveBundle(join(project, 'opened.bundle'))).members.map(({ service }) => service)).toEqual(all)
  // Debian's program opens what kraft encrypts, and kraft loads what that program encrypts.
  await must('dump:stage', 'closed.bundle.age', '--recipient', key.recipient)
  const { stdout: opened } = await bash(
    `age -d -i ${key.file} closed.bundle.age >again.bundle; age -r ${key.recipient} -o theirs.age again.bundle; tar -tf again.bundle`,
  )
  expect(opened).toBe('manifest.json\nsqlite.db\npostgres.dump.zst\nredis.rdb\nfiles.tar\nmanifest.sha256\n')
  const before = await data()
  await lose()
  await must('load:stage', 'theirs.age', '--identity', key.file, '--yes')
  expect(await data()).toBe(before)
  const other = await newKey('other')
  for (const [words, said] of [
    [['restore', 'newest', '--yes'], 'is encrypted'],
    [['drill'], 'is encrypted'],
    [['fetch', 'newest', 'no.bundle', '--identity', other.file], 'None of the keys in'],
  ] as const) {
    const { code, stderr } = await kraft('backups:stage', ...words)
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(said)])
    expect(code).not.toBe(0)
  }
  expect((await must('backups:stage', 'drill', '--identity', key.file)).stdout).toContain('all that it should hold is there')
  await as('sqlite3 "$SQLITE_PATH" "DELETE FROM entry"')
  await must('backups:stage', 'restore', backup.id, '--identity', key.file, '--yes')
  expect(await as('sqlite3 "$SQLITE_PATH" "SELECT count(*) FROM entry"')).toBe('2')
  const secret = (await readFile(key.file, 'utf8')).match(/AGE-SECRET-KEY-\S+/)?.[0] ?? 'none'
  expect(await root(`grep -rlsF ${secret} /etc /var/log /run /tmp /web || echo nowhere`)).toBe('nowhere')

  await must('backups:stage', 'delete', backup.id, '--yes')
  expect((await list()).map(({ id }: typeof old) => id)).not.toContain(backup.id)
  await writeFile(join(project, 'kraftwerk.yaml'), yamlOf().replace(/^backup:[\s\S]*/m, ''))
  await must('deploy:stage')
  expect(await root(`ls -d /etc/kraftwerk/ledger/backup /etc/systemd/system/*@ledger* 2>/dev/null || echo none`)).toBe('none')
  expect((await must('backups:stage')).stdout).toContain('No backups are made of ledger')
})

async function newKey(name = 'own'): Promise<typeof key> {
  const file = join(story.home, `${name}.key`)
  const { stdout, stderr } = await call('age-keygen', ['-o', file], { cwd: story.home, env: story.env })
  return { file, recipient: /age1\w+/.exec(`${stdout}${stderr}`)?.[0] ?? '' }
}
