import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, writeFiles } from '../rig/cli.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// From a Debian to the next: what servers of Debian 12 keep is dumped there and loaded on Debian 13, and by another project.
const yamlOf = (name: string, nodes: string) => `name: ${name}
domain: ${name}.test
wsgi: depot.wsgi:application
packages: []
workers: 1
services: [{ postgres: { extensions: [pg_trgm] } }, mysql, redis, sqlite, files]
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
let project: string
let other: string
let before: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'depot')
  other = join(story.home, 'other')
  await writeFiles(project, {
    ...files,
    'kraftwerk.yaml': yamlOf('depot', '{ stage: { nodes: [old] }, next: { nodes: [new] } }'),
  })
  await writeFiles(other, { ...files, 'kraftwerk.yaml': yamlOf('other', '{ next: { nodes: [new] } }') })
  await provisionPrepared(story, ['old'])
  await provisionPrepared(story, ['new'], 'root', 'trixie')
  await Promise.all(['stage', 'next'].map((target) => must(`deploy:${target}`)))
})
afterAll(() => story?.remove())

const must = (...args: string[]) => story.must(args, { cwd: project })
/** Runs bash as an instance, in its environment. */
const as = async (target: string, script: string, cwd = project) =>
  (await story.must([`run:${target}`, '--', 'bash', '-ec', script], { cwd })).stdout.trim()

const fill = `psql -XAtq -v ON_ERROR_STOP=1 <<'END'
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
ln -s 'a folder/ü/1' "$UPLOADS_PATH/link"
`

// Rows, keys and hashes, as each server tells them itself: one line each.
const asked = `exec 2>&1
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
cd "$UPLOADS_PATH"; find . -type f -o -type l | sort | xargs -d '\\n' sha256sum; readlink link`

test('what was dumped on Debian 12 is on Debian 13 the same, in newer servers', async () => {
  const version = (target: string) =>
    as(
      target,
      'psql -XAtqc "show server_version_num" | cut -c 1-2; redis-server --version | grep -o "v=[0-9]*"; mariadb -NBe "SELECT SUBSTRING_INDEX(VERSION(), \'.\', 2)"',
    )
  expect(await Promise.all(['stage', 'next'].map(version))).toEqual(['15\nv=7\n10.11', '17\nv=8\n11.8'])
  await as('stage', fill)
  const { members } = JSON.parse((await must('dump:stage', 'all.bundle', '--json')).stdout).manifest
  before = await as('stage', asked)
  expect(before).not.toMatch(/error|denied/i)
  expect(before.split('\n').length).toBeGreaterThan(90)
  await as(
    'next',
    'psql -XAtqc "CREATE TABLE gone (x int)"; redis-cli -s "$REDIS_SOCKET" set gone 1; echo gone >"$UPLOADS_PATH/gone"',
  )
  await must('load:next', 'all.bundle', '--yes')
  expect(await as('next', asked)).toBe(before)
  // Dumped there it is as much once more.
  const again = JSON.parse((await must('dump:next', 'again.bundle', '--json')).stdout).manifest
  const counted = (list: readonly { service: string; counts: unknown }[]) => list.map(({ service, counts }) => [service, counts])
  expect(counted(again.members)).toEqual(counted(members))
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
