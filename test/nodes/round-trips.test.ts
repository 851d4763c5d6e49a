import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { type Couchdb, startCouchdb } from '../rig/couchdb.js'
import { call } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// From a Debian to the next: what servers of Debian 12 keep is dumped there and loaded on Debian 13, and by another project.
const login = { user: 'depot', password: 'hidden-in-depot' }
const yamlOf = (name: string, nodes: string) => `name: ${name}
domain: ${name}.test
wsgi: depot.wsgi:application
packages: []
workers: 1
services:
  - { postgres: { extensions: [pg_trgm] } }
  - { couchdb: { url: '${couchdb.url}', user: ${login.user}, password: ${login.password}, databases: [notes] } }
  - mysql
  - redis
  - rabbitmq
  - sqlite
  - files
environments: ${nodes}
`
const files: Files = {
  'depot/__init__.py': '',
  'depot/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'open']
`,
}

let story: Story
let couchdb: Couchdb
let project: string
let other: string
let before: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'depot')
  other = join(story.home, 'other')
  await provisionPrepared(story, ['old'])
  await provisionPrepared(story, ['new'], 'root', 'trixie')
  couchdb = await startCouchdb(gateway(stateFrom(story.env)), login)
  await writeFiles(project, {
    ...files,
    'kraftwerk.yaml': yamlOf('depot', '{ stage: { nodes: [old] }, next: { name: depot-next, nodes: [new] } }'),
  })
  await writeFiles(other, { ...files, 'kraftwerk.yaml': yamlOf('other', '{ next: { nodes: [new] } }') })
  await Promise.all(['stage', 'next'].map((target) => must(`deploy:${target}`)))
})
afterAll(async () => {
  await couchdb?.stop()
  await story?.remove()
})

const must = (...args: string[]) => story.must(args, { cwd: project })
/** Runs bash as an instance, in its environment. */
const as = async (target: string, script: string, cwd = project) =>
  (await story.must([`run:${target}`, '--', 'bash', '-ec', script], { cwd })).stdout.trim()

/** Exchanges, queues, bindings and policies in a bundle. */
const definitions = async (bundle: string) => {
  const { code, stdout, stderr } = await call(
    'bash',
    ['-eo', 'pipefail', '-c', 'tar -xOf "$0" rabbitmq.jsonl.zst | zstd -dc | sed -n 1p', bundle],
    { cwd: project, env: process.env },
  )
  if (code !== 0) throw new Error(stderr)
  // A newer server says also what is the default.
  return JSON.parse(stdout, (key, value) => (key === 'x-queue-type' && value === 'classic' ? undefined : value))
}

const couch = `couch() { path=$1; shift; curl -fsS -H 'content-type: application/json' "$@" "$COUCHDB_URL/$COUCHDB_PREFIX$path"; }`
const fill = `${couch}
psql -XAtq -v ON_ERROR_STOP=1 <<'END'
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE author (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, mood mood, extra jsonb, at timestamptz DEFAULT '2026-01-01Z');
CREATE TABLE book (author int REFERENCES author ON DELETE CASCADE, title text, raw bytea, price numeric(9, 2) CHECK (price > 0)) PARTITION BY HASH (title);
CREATE TABLE book_0 PARTITION OF book FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE book_1 PARTITION OF book FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON author USING gin (name gin_trgm_ops);
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE VIEW titles AS SELECT name, title FROM author JOIN book ON id = author;
CREATE MATERIALIZED VIEW prices AS SELECT author, sum(price) FROM book GROUP BY author;
INSERT INTO author (name, mood, extra) SELECT 'name ' || n, 'glad', jsonb_build_object('n', n, 'o', 'ü') FROM generate_series(1, 500) AS n;
INSERT INTO book SELECT 1 + n % 500, 'title ' || n, decode(md5(n::text), 'hex'), n FROM generate_series(1, 5000) AS n;
REFRESH MATERIALIZED VIEW prices;
END
mariadb --default-character-set=utf8mb4 "$MYSQL_DATABASE" <<'END'
CREATE TABLE author (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(99) UNIQUE, upper VARCHAR(99) AS (UPPER(name)) STORED, u UUID, ip INET6);
CREATE TABLE \`a book\` (author_id INT, title TEXT, raw LONGBLOB, doc JSON, at TIMESTAMP(6) DEFAULT '2026-01-01 00:00:00',
  FULLTEXT (title), FOREIGN KEY (author_id) REFERENCES author(id) ON DELETE CASCADE);
CREATE TABLE log (what TEXT);
CREATE SEQUENCE numbers START WITH 7;
CREATE VIEW titles AS SELECT name, title FROM author JOIN \`a book\` ON id = author_id;
CREATE TRIGGER noted AFTER INSERT ON \`a book\` FOR EACH ROW INSERT INTO log VALUES (NEW.title);
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log WHERE what = 'old';
INSERT INTO author (name, u, ip) SELECT CONCAT('name ', seq, ' 📚'), CONCAT('00000000-0000-0000-0000-', LPAD(seq, 12, '0')), '::1' FROM seq_1_to_500;
INSERT INTO \`a book\` (author_id, title, raw, doc) SELECT 1 + seq MOD 500, CONCAT('title ', seq), UNHEX(MD5(seq)), JSON_OBJECT('n', seq) FROM seq_1_to_5000;
END
redis() { redis-cli -s "$REDIS_SOCKET" "$@" >/dev/null; }
for n in $(seq 2000); do echo "set key$n value$n"; done | redis-cli -s "$REDIS_SOCKET" >/dev/null
for n in $(seq 300); do echo "rpush list item$n"; echo "hset hash field$n value$n"; echo "zadd scores $n member$n"; echo "sadd many $n"; done | redis-cli -s "$REDIS_SOCKET" >/dev/null
redis xadd events 1-1 what happened
redis xgroup create events readers 0
redis setbit bits 12345 1
redis pfadd seen a b c
redis -n 5 set later here ex 86400
sqlite3 "$SQLITE_PATH" "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, raw BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO note SELECT i, 'note ' || i, zeroblob(i % 50) FROM n; CREATE VIRTUAL TABLE found USING fts5(text); INSERT INTO found SELECT text FROM note"
mkdir -p "$UPLOADS_PATH/a folder/ü"
for n in $(seq 50); do seq "$n" 3000 >"$UPLOADS_PATH/a folder/ü/$n"; done
/usr/bin/python3 - <<'END'
import os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL'])).channel()
channel.exchange_declare('orders', 'topic', durable=True)
channel.queue_declare('mail', durable=True, arguments={'x-max-priority': 5})
channel.queue_declare('jobs', durable=True, arguments={'x-queue-type': 'quorum'})
channel.queue_bind('mail', 'orders', 'new.#', {'why': 'mail'})
channel.queue_bind('jobs', 'orders', '#')
channel.confirm_delivery()
for number in range(200):
    channel.basic_publish('orders', 'new.one', b'\\xff %d' % number, pika.BasicProperties(delivery_mode=2, headers={'number': number}))
END
python3 -c "import json; print(json.dumps({'docs': [{'_id': f'note {n}/ü', 'n': n} for n in range(300)]}))" | couch notes/_bulk_docs --data-binary @- >/dev/null
printf '{"_id":"picture","_attachments":{"a b.png":{"content_type":"image/png","data":"%s"}}}' "$(seq 20000 | base64 -w 0)" | couch notes --data-binary @- >/dev/null
ln -s 'a folder/ü/1' "$UPLOADS_PATH/link"
`

// Rows, keys and hashes, as each server tells them itself: one line each.
const asked = `exec 2>&1
${couch}
psql -XAtq <<'END'
SELECT md5(string_agg(author::text, '|' ORDER BY id)) FROM author;
SELECT md5(string_agg(book::text, '|' ORDER BY title)) FROM book;
SELECT count(*), sum(sum) FROM prices;
SELECT count(*), min(twice(3)) FROM titles;
SELECT tablename, tableowner = current_user FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1;
SELECT name FROM author WHERE name LIKE '%me 77' ORDER BY 1;
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2;
END
mariadb --default-character-set=utf8mb4 -NB "$MYSQL_DATABASE" <<'END'
SELECT MD5(GROUP_CONCAT(id, name, upper, u, ip ORDER BY id)) FROM author;
SELECT COUNT(*), SUM(CRC32(CONCAT(author_id, title, HEX(raw), doc, at))) FROM \`a book\`;
SELECT COUNT(*), twice(4) FROM titles;
SELECT COUNT(*) FROM log;
SELECT NEXTVAL(numbers);
SELECT trigger_name, SUBSTRING_INDEX(definer, '@', 1) = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) FROM information_schema.triggers WHERE trigger_schema = DATABASE();
SELECT event_name, status FROM information_schema.events WHERE event_schema = DATABASE();
SELECT COUNT(*) FROM \`a book\` WHERE MATCH (title) AGAINST ('4999');
SELECT table_name, column_name, column_type, collation_name FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2;
END
redis-cli -s "$REDIS_SOCKET" --raw <<'END' | sha256sum
lrange list 0 -1
zrange scores 0 -1 withscores
xrange events - +
pfcount seen
bitcount bits
END
redis-cli -s "$REDIS_SOCKET" --raw <<'END' | grep . | sort | sha256sum
hgetall hash
smembers many
keys *
xinfo groups events
END
redis-cli -s "$REDIS_SOCKET" --raw info keyspace | tr -d '\\r' | sed -n 's/,.*//; /^db/p'
for n in 1 777 2000; do redis-cli -s "$REDIS_SOCKET" get "key$n"; done
[ "$(redis-cli -s "$REDIS_SOCKET" -n 5 ttl later)" -gt 80000 ]
sqlite3 "$SQLITE_PATH" "SELECT sql FROM sqlite_master WHERE name IN ('note', 'found'); SELECT id, text, quote(raw) FROM note" | sha256sum
sqlite3 "$SQLITE_PATH" "PRAGMA integrity_check; SELECT count(*) FROM found WHERE found MATCH 'note'"
/usr/bin/python3 - <<'END'
import hashlib, os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL'])).channel()
for queue in ('mail', 'jobs'):
    got = [channel.basic_get(queue) for _ in range(channel.queue_declare(queue, passive=True).method.message_count)]
    # A quorum queue counts how often it has handed one out.
    rows = sorted((body, properties.headers['number'], properties.delivery_mode) for _, properties, body in got)
    print(queue, len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
END
couch 'notes/_all_docs?include_docs=true' | python3 -c "
import hashlib, json, sys
rows = [(row['id'], row['value']['rev'], row['doc'].get('n'), [each['digest'] for each in row['doc'].get('_attachments', {}).values()])
        for row in json.load(sys.stdin)['rows']]
print('notes', len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())"
couch 'notes/picture/a%20b.png' | sha256sum
cd "$UPLOADS_PATH"; find . -type f -o -type l | sort | xargs -d '\\n' sha256sum; readlink link`

test('what was dumped on Debian 12 is on Debian 13 the same, in newer servers', async () => {
  const version = (target: string) =>
    as(
      target,
      'psql -XAtqc "show server_version_num" | cut -c 1-2; redis-server --version | grep -o "v=[0-9]*"; mariadb -NBe "SELECT SUBSTRING_INDEX(VERSION(), \'.\', 2)"',
    )
  expect(await Promise.all(['stage', 'next'].map(version))).toEqual(['15\nv=7\n10.11', '17\nv=8\n11.8'])
  const rabbitmq = (node: string) => story.onNode(node, "dpkg-query -W -f '${Version}' rabbitmq-server | cut -d . -f 1")
  expect(await Promise.all(['old', 'new'].map(rabbitmq))).toEqual(['3\n', '4\n'])
  await as('stage', fill)
  const { members } = JSON.parse((await must('dump:stage', 'all.bundle', '--freeze', '--json')).stdout).manifest
  before = await as('stage', asked)
  expect(before).not.toMatch(/error|denied/i)
  expect(before.split('\n').length).toBeGreaterThan(90)
  expect(before).toMatch(/^mail 200 .*\njobs 200 .*\nnotes 301 /m)
  await as(
    'next',
    'psql -XAtqc "CREATE TABLE gone (x int)"; redis-cli -s "$REDIS_SOCKET" set gone 1; echo gone >"$UPLOADS_PATH/gone"',
  )
  await must('load:next', 'all.bundle', '--yes')
  expect(await as('next', asked)).toBe(before.replaceAll('depot', 'depot-next'))
  // Dumped there it is as much once more.
  const again = JSON.parse((await must('dump:next', 'again.bundle', '--freeze', '--json')).stdout).manifest
  const counted = (list: readonly { service: string; counts: unknown }[]) => list.map(({ service, counts }) => [service, counts])
  expect(counted(again.members)).toEqual(counted(members))
  expect(await definitions('again.bundle')).toEqual(await definitions('all.bundle'))
})

test('what was destroyed comes back from a bundle', async () => {
  await must('destroy:stage', '--yes')
  await must('deploy:stage')
  await must('load:stage', 'all.bundle', '--yes')
  expect(await as('stage', asked)).toBe(before)
})

test('another project takes it with --foreign, as its own', async () => {
  await story.must(['deploy:next'], { cwd: other })
  const load = ['load:next', join(project, 'all.bundle'), '--yes']
  const refused = await story.kraft(load, { cwd: other })
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('add --foreign')])
  await story.must([...load, '--foreign'], { cwd: other })
  expect(await as('next', asked, other)).toBe(before.replaceAll('depot', 'other'))
  // Whose it was has nothing of it lost, and can't enter there.
  expect(
    await as(
      'next',
      'psql -d other -c "select 1" 2>&1 || :; mariadb other -e "select 1" 2>&1 || :; psql -XAtqc "select count(*) from author"',
    ),
  ).toMatch(/permission denied[\s\S]*Access denied[\s\S]*\n500$/)
})
