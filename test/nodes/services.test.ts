import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quote } from '../../engine/shell/sh.js'
import { service as mariadb } from '../../recipes/services/mysql.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { mariadbSchema } from '../rig/mariadb-schema.js'
import { cutPower, powerOn } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { startKraft } from '../rig/running.js'
import { beginStory, type Story } from '../rig/story-node.js'

// Services that an instance has for itself, all of them on one: what they keep is dumped, lost and loaded.
const yamlOf = (services: string) => `name: depot
wsgi: depot.wsgi:application
packages: []
workers: 1
services: ${services}
environments: { stage: { nodes: [one] } }
`
const all =
  '[{ postgres: { extensions: [pg_trgm, pageinspect] } }, mysql, { redis: { memory: 32 MB } }, { memcached: { memory: 16 MB } }, sqlite]'
const files: Files = {
  'kraftwerk.yaml': yamlOf(all),
  'depot/__init__.py': '',
  'depot/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'open']
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'depot')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  await must('deploy:stage')
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const root = async (script: string) => (await story.onNode('one', script)).trim()
/** Runs bash as the instance, in its environment. */
const as = async (script: string) => (await must('run:stage', '--', 'bash', '-ec', script)).stdout.trim()
const ask = async (services: string) => {
  await writeFile(join(project, 'kraftwerk.yaml'), yamlOf(services))
  return must('deploy:stage')
}
const pids = (services: string) => root(`for each in ${services}; do cat "/etc/service/depot+$each/supervise/pid"; done`)
/** What memcached answers to these lines. */
const memcached = (...lines: string[]) =>
  as(`python3 -c '
import os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ["MEMCACHED_SOCKET"])
connection.sendall("".join(line + "\\r\\n" for line in sys.argv[1:] + ["quit"]).encode())
print(connection.makefile().read())
' ${lines.map((line) => `'${line}'`).join(' ')}`)
const psql = (statement: string) => as(`psql -XAtqc "${statement}"`)
const asPostgres = (statements: string) => root(`runuser -u postgres -- psql -XAtq depot <<'END'\n${statements};\nEND`)
const sql = (statement: string) => as(`sqlite3 "$SQLITE_PATH" "${statement}"`)
const mysql = (statements: string) =>
  as(`mariadb --default-character-set=utf8mb4 -NB "$MYSQL_DATABASE" <<'END'\n${statements}\nEND`)
/** The key of redis in each of its databases, with what they hold. */
const keys = () =>
  as(`for database in 0 3; do
    redis-cli -s "$REDIS_SOCKET" -n $database keys '*' | sort | while read -r key; do
      echo "$database $key $(redis-cli -s "$REDIS_SOCKET" -n $database dump "$key" </dev/null)"
    done
  done`)

/** The process of redis, and whether it had read all of its data before it was the one that is asked. */
const redis = () =>
  root(`cd /run/web/depot/redis; pid=$(cat /etc/service/depot+redis/supervise/pid)
    echo "$pid $(find redis.sock -newer redis.$pid.sock) $(ls | wc -l) $(ls -d /etc/s*/depot+redis* | wc -l) $(pgrep -c redis-server)"`)
const took = (pid: string) => `${pid} redis.sock 2 2 1`

test('a server of its own is on a socket alone, and nobody else reaches it', async () => {
  expect(await as('redis-cli -s "$REDIS_SOCKET" ping; echo "$REDIS_URL $MEMCACHED_LOCATION $DATABASE_URL"')).toBe(
    `PONG
unix:///run/web/depot/redis/redis.sock unix:/run/web/depot/memcached/memcached.sock sqlite:////web/depot/sqlite/db.sqlite3`,
  )
  expect(await memcached('set greeting 0 0 5', 'hello', 'get greeting')).toBe('STORED\nVALUE greeting 0 5\nhello\nEND')
  expect(await root('ss -Hlntu')).not.toMatch(/:(3306|6379|11211)\b/)
  expect(await root('ps -C redis-server,memcached -o user= -o args= | sort')).toMatch(
    /^depot +memcached .*\ndepot +redis-server unix/,
  )
  const other = `useradd stranger
    for service in redis memcached; do
      runuser -u stranger -- redis-cli -s /run/web/depot/$service/$service.sock ping 2>&1 || :
    done
    runuser -u stranger -- cat /web/depot/sqlite/db.sqlite3 2>&1 || :
    runuser -u stranger -- mariadb depot 2>&1 || :`
  const refused = /Permission denied|Access denied/
  expect((await root(other)).split('\n').filter((row) => refused.test(row))).toHaveLength(4)
})

test('PostgreSQL has its share of the memory, and an extension or a version that it has not is refused', async () => {
  const [shared = 0, memory = 0] = (
    await root(`runuser -u postgres -- psql -XAtqc "SELECT setting::int / 128 FROM pg_settings WHERE name = 'shared_buffers'"
      awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo`)
  )
    .split('\n')
    .map(Number)
  expect(Math.abs(shared - Math.max(128, memory / 8))).toBeLessThan(9)
  for (const [asked, said] of [
    ['version: 9', 'This node has PostgreSQL 15, and kraftwerk.yaml asks for version 9'],
    ['extensions: [no_such]', 'PostgreSQL on this node has no extension "no_such"'],
  ]) {
    await writeFile(join(project, 'kraftwerk.yaml'), yamlOf(`[{ postgres: { ${asked} } }]`))
    const { code, stderr } = await kraft('deploy:stage')
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${said}`)])
  }
  await writeFile(join(project, 'kraftwerk.yaml'), yamlOf(all))
})

test('a deploy leaves servers alone, and a new limit reaches one that runs', async () => {
  const before = await pids('redis memcached')
  await as('redis-cli -s "$REDIS_SOCKET" set kept here')
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
  await ask(all.replace('32 MB', '48 MB'))
  expect(await pids('redis memcached')).toBe(before)
  expect(await as('redis-cli -s "$REDIS_SOCKET" config get maxmemory')).toBe(`maxmemory\n${48 * 1024 ** 2}`)
})

test('what services keep is dumped, lost, and loaded again', async () => {
  await as(`redis() { redis-cli -s "$REDIS_SOCKET" "$@" >/dev/null; }
    redis flushall
    for number in $(seq 100); do echo "set key$number $number"; done | redis-cli -s "$REDIS_SOCKET" >/dev/null
    redis hset 'a hash' field 'of blanks and bytes \\xff'
    redis -n 3 rpush list a b c`)
  await sql(
    `CREATE TABLE 'a table' (number, text); INSERT INTO 'a table' VALUES (1, 'one'), (2, 'it''s two'); CREATE TABLE empty (x)`,
  )
  await mysql(mariadbSchema)
  await psql(
    "CREATE TABLE word (text text); CREATE INDEX ON word USING gin (text gin_trgm_ops); INSERT INTO word VALUES ('found')",
  )
  // What is no bundle's: who else may read, and how the database is set.
  await asPostgres(`CREATE ROLE reader; GRANT CONNECT ON DATABASE depot TO reader; GRANT SELECT ON word TO reader WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES FOR ROLE depot GRANT SELECT ON TABLES TO reader;
    ALTER DATABASE depot SET timezone = 'Asia/Tokyo'; ALTER ROLE depot IN DATABASE depot SET search_path = public, "Its Own"`)
  const set = () =>
    asPostgres(`SELECT rolname, setconfig FROM pg_db_role_setting JOIN pg_database AS d ON d.oid = setdatabase
        LEFT JOIN pg_roles AS r ON r.oid = setrole WHERE datname = 'depot' ORDER BY 1;
      SELECT datacl, relacl, (SELECT defaclacl FROM pg_default_acl) FROM pg_database, pg_class WHERE datname = 'depot' AND relname = 'word'`)
  const wasSet = await set()
  await as('redis-cli -s "$REDIS_SOCKET" -n 3 set brief gone ex 15')
  const { members } = JSON.parse((await must('dump:stage', 'all.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([
    { service: 'postgres', counts: { 'rows.public.word': 1 } },
    { service: 'mysql', file: 'mysql.sql.zst', counts: { 'rows.author': 3, 'rows.a book': 2, 'rows.log': 2 } },
    { service: 'redis', file: 'redis.rdb', counts: { 'keys.db0': 101, 'keys.db3': 2 } },
    { service: 'sqlite', file: 'sqlite.db', counts: { 'rows.a table': 2, 'rows.empty': 0 } },
  ])
  // By now the time of one key has come: it was in the dump all the same.
  await expect.poll(() => as('redis-cli -s "$REDIS_SOCKET" -n 3 exists brief'), { timeout: 60_000 }).toBe('0')
  const before = await keys()

  await as('redis-cli -s "$REDIS_SOCKET" flushall; redis-cli -s "$REDIS_SOCKET" set other one')
  await sql("DELETE FROM 'a table'; DROP TABLE empty")
  await psql('DELETE FROM word; CREATE TABLE later (x int); GRANT ALL ON later TO reader')
  await mysql('DELETE FROM author; DROP VIEW again; DROP PROCEDURE add_book; CREATE TABLE other (x INT)')
  // Somebody has the file open when it is swapped, and goes on writing.
  await root(`systemd-run --quiet --unit writer --uid depot --gid depot python3 -c '
import sqlite3, time
former = sqlite3.connect("/web/depot/sqlite/db.sqlite3", isolation_level=None)
while True:
    former.execute("INSERT INTO [a table] VALUES (3, hex(randomblob(999)))")
    time.sleep(0.01)
'`)
  const first = await pids('redis')
  await must('load:stage', 'all.bundle', '--yes')
  // Another server has read it all beside, and is now the one that runit keeps running.
  const second = await pids('redis')
  expect([await redis(), second]).toEqual([took(second), expect.not.stringMatching(first)])
  await root('systemctl is-active writer; sleep 0.2; systemctl stop writer')
  expect(await keys()).toBe(before)
  expect(await sql("PRAGMA integrity_check; PRAGMA journal_mode; SELECT * FROM 'a table'")).toBe("ok\nwal\n1|one\n2|it's two")
  expect(await psql("SELECT * FROM word WHERE text LIKE '%oun%'; SELECT extname FROM pg_extension ORDER BY 1")).toBe(
    'found\npageinspect\npg_trgm\nplpgsql',
  )
  expect(wasSet).toContain('reader=r*/depot')
  expect(await set()).toBe(wasSet)
  // The same to the last byte: tables, rows, and all that is not a table.
  const { manifest } = JSON.parse((await must('dump:stage', 'mysql.bundle', '--only', 'mysql', '--json')).stdout)
  expect(manifest.members).toEqual([members[1]])
  expect(await mysql("CALL add_book('two'); SELECT * FROM log; SELECT NEXTVAL(numbers)")).toBe('one\nINSERT INTO\ntwo\n7')
  expect(await root('mariadb -NBe "SHOW DATABASES LIKE \'depot%\'"')).toBe('depot\ndepot+former')
  // What was live is there until the next load, and nothing else is left.
  expect(await root('ls /web/depot/redis')).toBe('data\nformer\nmemory.conf\nredis.conf')
  expect(await root('ls /web/depot/redis/data; ls /web/depot/redis/data/appendonlydir | tail -n 1')).toBe(
    'appendonlydir\nappendonly.aof.manifest',
  )
  expect(await root('cd /web/depot/sqlite; ls; readlink db.sqlite3 former; ls data-2')).toBe(
    'data-1\ndata-2\ndb.sqlite3\nformer\ndata-2/db.sqlite3\ndata-1\ndb.sqlite3',
  )
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
  // And back, in the same way.
  await must('load:stage', '--undo', '--yes')
  const third = await pids('redis')
  expect([await redis(), third]).toEqual([took(third), expect.not.stringMatching(second)])
  expect(await as('redis-cli -s "$REDIS_SOCKET" keys "*"; redis-cli -s "$REDIS_SOCKET" config get maxmemory')).toBe(
    `other\nmaxmemory\n${48 * 1024 ** 2}`,
  )
})

test('a bundle whose data does not load leaves what is live alone', async () => {
  await as('redis-cli -s "$REDIS_SOCKET" set new one')
  const before = await keys()
  await mysql("INSERT INTO log VALUES ('later')")
  const server = await pids('redis')
  await root('chmod 0 /usr/bin/redis-check-rdb')
  expect((await kraft('load:stage', 'all.bundle', '--yes')).code).toBe(1)
  await root('chmod 755 /usr/bin/redis-check-rdb; echo no-such-setting yes >>/web/depot/redis/redis.conf')
  const unread = await kraft('load:stage', 'all.bundle', '--yes')
  expect([unread.code, unread.stderr]).toEqual([1, expect.stringMatching(/redis does not run. Its log[\s\S]*no-such-setting/)])
  expect([await keys(), await pids('redis')]).toEqual([before, server])
  // The swap of the last one fails when the others are done.
  await root("sed -i '$d' /web/depot/redis/redis.conf; mkdir /web/depot/sqlite/.new")
  const failed = await kraft('load:stage', 'all.bundle', '--yes')
  await root('rmdir /web/depot/sqlite/.new')
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('the data that was live is put back')])
  expect([await keys(), await redis()]).toEqual([before, took(server)])
  expect(await mysql("SELECT what FROM log WHERE what = 'later'; SHOW TRIGGERS")).toMatch(/^later\nnoted\t/)
})

test('a swap that fails before tables moved leaves them where they are, also where what was loaded has none', async () => {
  const run = (part: 'swap' | 'undo' | 'discard', change = (text: string) => text) =>
    root(`sh -ec ${quote(change(mariadb.data?.[part]({ name: 'depot', home: '/web/depot' }).text ?? ''))} 2>&1 || :`)
  await mysql('CREATE TABLE kept (x INT); INSERT INTO kept VALUES (7); CREATE VIEW shown AS SELECT x * 2 FROM kept')
  // An empty database beside, and somebody who reads a table for long.
  await root(`mariadb -e 'CREATE DATABASE \`depot+beside\`; GRANT ALL ON \`depot+beside\`.* TO depot@localhost'
    : >/web/depot/dump/mysql.beside.sql
    systemd-run --quiet --unit reader mariadb depot -e 'LOCK TABLES kept READ; SELECT SLEEP(600)'
    until mariadb -NBe 'SHOW PROCESSLIST' | grep -q 'SLEEP(600)'; do sleep 0.1; done`)
  expect(await run('swap', (text) => text.replace('lock_wait_timeout = 20', 'lock_wait_timeout = 1'))).toContain('timeout')
  await root('systemctl stop reader')
  await run('undo')
  await run('discard')
  expect(await mysql('SELECT * FROM shown')).toBe('14')
  expect(await root('mariadb -NBe "SHOW DATABASES LIKE \'depot%\'"')).toBe('depot')
})

test('data outlives a kraft that is killed before the swap, and a power cut in the middle of it', async () => {
  await as('redis-cli -s "$REDIS_SOCKET" set last word')
  const before = await keys()
  // The append-only file is on disk within a second.
  await root('sleep 1.2')
  const server = await pids('redis')
  await root('mv /usr/bin/redis-cli /usr/bin/redis-cli.real')
  const heldAt = async (words: string) => {
    await root(`printf '#!/bin/sh\ncase $* in *"${words}") echo >/tmp/held; while [ -e /tmp/held ]; do sleep 0.1; done ;; esac
      exec redis-cli.real "$@"\n' >/usr/bin/redis-cli; chmod 755 /usr/bin/redis-cli`)
    const running = startKraft(['load:stage', 'all.bundle', '--only', 'redis', '--yes'], { cwd: project, env: story.env })
    await root('for try in $(seq 600); do [ ! -e /tmp/held ] || exit 0; sleep 0.1; done; exit 1')
    return running
  }
  // The second server, which nobody waits for then, ends by itself.
  const killed = await heldAt('beside.sock info keyspace')
  killed.child.kill('SIGKILL')
  await killed.ended
  expect(await root('pgrep -c redis-server; rm /tmp/held')).toBe('2')
  await expect.poll(() => root('pgrep -c redis-server'), { timeout: 60_000 }).toBe('1')
  expect(await pids('redis')).toBe(server)
  // Two servers have just changed places.
  const cut = await heldAt('client kill type normal')
  await cutPower(story, 'one')
  await cut.ended
  await powerOn(story, 'one')
  await expect
    .poll(() => kraft('run:stage', '--', 'bash', '-c', 'redis-cli -s "$REDIS_SOCKET" ping').then(({ stdout }) => stdout), {
      timeout: 60_000,
    })
    .toBe('PONG\n')
  await expect.poll(() => root('ls -d /web/depot/dump/exchange 2>/dev/null || :'), { timeout: 60_000 }).toBe('')
  expect([await keys(), await root('pgrep -c redis-server')]).toEqual([before, '1'])
  await root('mv -f /usr/bin/redis-cli.real /usr/bin/redis-cli')
})

test('a service that is not asked for any more ends, keeps its data and says so once', async () => {
  const before = await keys()
  const { stderr } = await ask('[]')
  expect(stderr).toContain('redis is not asked for any more: what it keeps of depot stays on the node until kraft destroy')
  expect(await root('ls -d /etc/sv/depot+* 2>/dev/null || echo none')).toBe('none')
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
  await ask(all)
  expect(await keys()).toBe(before)
  await must('destroy:stage', '--yes')
  expect(
    await root('ls -d /web/depot /etc/sv/depot* /run/web/depot 2>/dev/null || echo none; pgrep redis-server || echo none'),
  ).toBe('none\nnone')
})
