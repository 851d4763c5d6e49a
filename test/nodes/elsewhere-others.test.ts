import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { startConstantLoad } from '../rig/constant-load.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// MariaDB and redis on a node of their own, and at addresses.
const yamlOf = (services: string, nodes = '{ web: [front], db: [back] }') => `name: ledger
domain: ledger.example.com
wsgi: ledger.wsgi:application
packages: []
workers: 1
services: ${services}
environments: { live: { nodes: ${nodes} } }
`
const files: Files = {
  'ledger/__init__.py': '',
  'ledger/wsgi.py': `import os, subprocess
def mariadb(statement):
    given = os.environ
    ca = given.get('MYSQL_SSL_CA')
    there = ['-h', given['MYSQL_HOST'], '-u', given['MYSQL_USER'], '--ssl-ca=' + ca, '--ssl-verify-server-cert'] if ca else []
    subprocess.check_output(['mariadb', *there, '-NBe', statement, given['MYSQL_DATABASE']])
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environ['PATH_INFO'] == '/write':
        mariadb('INSERT INTO visit VALUES (1)')
    return [b'open']
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await writeFiles(project, files)
  await provisionPrepared(story, ['front', 'back'])
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const on = async (node: 'front' | 'back', script: string) => (await story.onNode(node, script)).trim()
const settle = (services: string, nodes?: string) => writeFile(join(project, 'kraftwerk.yaml'), yamlOf(services, nodes))

/** Runs bash as the instance, in its environment. */
const as = async (script: string) => (await must('run:live', '--', 'bash', '-ec', script)).stdout.trim()
const mariadb =
  'mariadb -h "$MYSQL_HOST" -u "$MYSQL_USER" --ssl-ca="$MYSQL_SSL_CA" --ssl-verify-server-cert -NB "$MYSQL_DATABASE"'
const mysql = async (statements: string) => (await must('mysql:live', '--', '-NBe', statements)).stdout.trim()
const sql = (statements: string) => on('back', `mariadb -NB <<'END'\n${statements}\nEND`)
const redis = async (...lines: string[]) =>
  (await story.bash(`kraft redis-cli:live <<'END'\n${lines.join('\n')}\nEND`, { cwd: project })).stdout.trim()

test('they move to a node that gets the role db, with a dump of before and a load', async () => {
  await settle('[mysql, redis]', '[front]')
  await must('deploy:live')
  await as(`mariadb "$MYSQL_DATABASE" -e "CREATE TABLE moved (x INT); INSERT INTO moved VALUES (1), (2)"
    redis-cli -s "$REDIS_SOCKET" set moved here; redis-cli -s "$REDIS_SOCKET" -n 4 rpush list a b`)
  await must('dump:live', 'before.bundle')
  await settle('[mysql, redis]')
  const { stdout, stderr } = await must('deploy:live')
  for (const name of ['mysql', 'redis'])
    expect(`${stdout}${stderr}`).toContain(`${name} is not asked for any more: what it keeps`)
  await must('load:live', 'before.bundle', '--yes')
  expect(await as(`${mariadb} -e "SELECT SUM(x) FROM moved"; pgrep redis-server || echo gone`)).toBe('3\ngone')
  expect(await redis('GET moved', 'SELECT 4', 'LRANGE list 0 -1')).toBe('here\nOK\na\nb')
  expect(await on('back', 'mariadb -NB ledger -e "SELECT COUNT(*) FROM moved"; pgrep -c redis-server')).toBe('2\n1')
  await mysql('DROP TABLE moved')
  await redis('FLUSHALL')
})

test('one move takes all of them back to the web node, and one away again, with no error and no write lost', async () => {
  await mysql('CREATE TABLE visit (x INT)')
  await redis('SET kept here')
  await must('move:live', '--service', 'redis', '--to', 'front')
  expect(await as('redis-cli -s "$REDIS_SOCKET" get kept; mariadb "$MYSQL_DATABASE" -NBe "SHOW TABLES"')).toBe('here\nvisit')

  const plan = await must('move:live', '--service', 'mysql', '--to', 'back', '--dry-run')
  expect(plan.stdout).toMatch(
    /^Would move mysql and redis of ledger to back:\n1\. back is bootstrapped, serves mysql and redis for/,
  )
  const load = startConstantLoad(
    { address: await story.address('front'), host: 'ledger.example.com', paths: ['/write'], kept: false },
    { rate: 8, patience: 100 },
  )
  await must('move:live', '--service', 'mysql', '--to', 'back')
  const { failures, answered } = await load.stop()
  expect(failures).toEqual({})
  expect(await on('back', 'mariadb -NB ledger -e "SELECT COUNT(*) FROM visit"')).toBe(`${answered}`)
  expect(await redis('GET kept')).toBe('here')
  expect(await readFile(join(project, 'kraftwerk.yaml'), 'utf8')).toContain('nodes: { web: [front], db: [back] }')
  await mysql('DROP TABLE visit')
  await redis('FLUSHALL')
})

test('on a node with the role db they are reached over TLS from the web nodes alone, and nobody sees a password', async () => {
  const front = await story.address('front')
  const back = await story.address('back')
  expect(await as(`${mariadb} -e "SHOW STATUS LIKE 'Ssl_version'"; echo "$REDIS_URL"`)).toMatch(
    new RegExp(
      `TLSv1.3\nrediss://:\\w{40,}@${back}:6379/0\\?ssl_cert_reqs=required&ssl_ca_certs=/web/ledger/redis/authority.crt$`,
    ),
  )
  const [password, other] = (await as('echo "$MYSQL_PWD"; echo "$REDIS_URL" | sed "s/.*:\\(.*\\)@.*/\\1/"')).split('\n')
  expect(password).toMatch(/^\w{40,}$/)
  const chain = (await on('back', 'nft list chain inet kraftwerk input')).replace(/[{}]| +/g, ' ').replace(/ +/g, ' ')
  for (const port of [3306, 6379]) expect(chain).toContain(`ip saddr ${front} tcp dport ${port} accept`)
  expect(
    await on('back', `cd /etc/kraftwerk/ledger; stat -c %a mysql.password redis.password; cat mysql.clients redis.clients`),
  ).toBe(`600\n600\n${front}\n${front}`)
  // From elsewhere, or without TLS, nobody comes in with the right password.
  expect(await on('back', `MYSQL_PWD=${password} mariadb --ssl -h ${back} -u ledger ledger 2>&1 || :`)).toContain(
    'is not allowed to connect',
  )
  expect(await as(`mariadb --skip-ssl -h ${back} -u ledger 2>&1 || :`)).toContain('Access denied')
  expect(await on('back', 'redis-cli -s /run/web/ledger/redis/redis.sock ping; ss -Hltn sport = :6379 | wc -l')).toMatch(
    /^NOAUTH/,
  )
  const said = await must('deploy:live', '--debug')
  for (const secret of [password, other]) expect(`${said.stdout}${said.stderr}`).not.toContain(secret)
  expect((await must('diff:live')).stdout).toContain('a deploy would change nothing')
  // What the server writes there is rotated, and it goes on writing.
  const log = '/web/ledger/log'
  expect(
    await on(
      'back',
      `logrotate --force /etc/logrotate.d/kraftwerk-ledger; ls ${log}/.old; wc -c <${log}/redis
      sv restart /etc/service/ledger+redis >/dev/null; grep -c 'Ready to accept' ${log}/redis`,
    ),
  ).toBe('redis.1\n0\n1')
})

test('what they hold is dumped, lost and loaded again, and their shells, doors and facts are those of the real servers', async () => {
  await mysql(
    'CREATE TABLE a (x INT); INSERT INTO a VALUES (1), (2); CREATE VIEW `a b` AS SELECT * FROM a; CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW SET @x = 1',
  )
  await redis('SET one 1', 'SET brief 1 PX 3000', 'SELECT 3', 'RPUSH list a b')
  const { members } = JSON.parse((await must('dump:live', 'all.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([
    { service: 'mysql', counts: { 'rows.a': 2 } },
    { service: 'redis', counts: { 'keys.db0': 2, 'keys.db3': 1 } },
  ])
  await mysql('DELETE FROM a; CREATE TABLE later (x INT)')
  await redis('FLUSHALL', 'SET other 1')
  await must('load:live', 'all.bundle', '--yes')
  expect(await mysql('SELECT COUNT(*) FROM `a b`')).toBe('2')
  expect(await redis('KEYS *', 'SELECT 3', 'LRANGE list 0 -1')).toBe('one\nOK\na\nb')
  await must('load:live', '--undo', '--yes')
  expect(await redis('KEYS *', 'SELECT 3', 'DBSIZE')).toBe('other\nOK\n0')
  expect(await mysql('SELECT COUNT(*) FROM later')).toBe('0')
  await must('load:live', '--undo', '--yes')
  expect([await redis('GET one'), await mysql('SELECT COUNT(*) FROM a')]).toEqual(['1', '2'])
  await must('load:live', '--drop-old', '--yes')
  expect(await redis('INFO keyspace')).not.toMatch(/db(1[6-9]|[2-4]\d):/)
  expect(await sql("SHOW DATABASES LIKE 'ledger%'")).toBe('ledger')

  const { services } = JSON.parse((await must('status:live', '--json')).stdout).nodes[0]
  expect(services).toMatchObject([
    { name: 'mysql', up: true, version: expect.stringMatching(/^10\./) },
    { name: 'redis', up: true, keys: 2 },
  ])
  const through = await story.bash(
    `exec 3< <(kraft forward:live redis 2>/dev/null); read -r url <&3
    python3 - "$url" <<'END'
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1].rsplit(":")[-1])))
connection.sendall(b"GET one\\r\\n")
print(connection.recv(99))
END
    kill %1 $! 2>/dev/null; :`,
    { cwd: project },
  )
  expect(through.stdout).toContain("b'$1\\r\\n1\\r\\n'")
})

test('at an address they are used with the rights that it has, and a load that lacks them is refused at first', async () => {
  const url = await as('echo "mysql://ledger:$MYSQL_PWD@$MYSQL_HOST/outside"')
  const authority = (await on('front', 'cat /web/ledger/mysql/authority.crt')).replaceAll('\n', '\n        ')
  const front = await story.address('front')
  await sql(`CREATE DATABASE outside; GRANT ALL ON outside.* TO 'ledger'@'${front}'`)
  await on('front', 'redis-server --port 6390 --requirepass hush-hush --daemonize yes --dir /tmp >/dev/null')
  await settle(
    `
  - mysql:
      url: ${url}
      authority: |
        ${authority}
  - redis: { url: 'redis://:hush-hush@127.0.0.1:6390/2' }`,
    '[front]',
  )
  const { stdout, stderr } = await must('deploy:live')
  expect(`${stdout}${stderr}`).toContain('redis at back is not used any more: what it keeps of ledger stays there')
  await mysql('CREATE TABLE a (x INT); INSERT INTO a VALUES (5)')
  await redis('SET one 1', 'SET brief 1 PX 3000', 'SELECT 5', 'SET stranger 1')
  const { members } = JSON.parse((await must('dump:live', 'outside.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([{ counts: { 'rows.a': 1 } }, { counts: { 'keys.db0': 2 } }])
  const load = (bundle: string, ...more: string[]) => kraft('load:live', bundle, '--yes', ...more)
  const refused = failure((await load('outside.bundle')).stderr)
  expect(refused).toContain(`GRANT ALL ON \`outside+former\`.* TO 'ledger'@'${front}'`)
  await sql(`GRANT ALL ON \`outside+beside\`.* TO 'ledger'@'${front}'; GRANT ALL ON \`outside+former\`.* TO 'ledger'@'${front}'`)
  await redis('SELECT 14', 'SET stranger 1')
  expect(failure((await load('outside.bundle')).stderr)).toContain('spare: [14, 15]')
  await redis('SELECT 14', 'DEL stranger')
  expect(failure((await load('all.bundle', '--only', 'redis')).stderr)).toContain('holds keys of database 3')
  await mysql('DELETE FROM a')
  await redis('DEL one')
  await must('load:live', 'outside.bundle', '--yes')
  expect([await redis('KEYS *', 'SELECT 5', 'DBSIZE'), await mysql('SELECT * FROM a')]).toEqual(['one\nOK\n1', '5'])
})
