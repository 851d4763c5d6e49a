import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A database on a node of its own, and one at an address, for an application that counts rows in it.
const yamlOf = (services: string, nodes = '{ web: [front], db: [back] }') => `name: ledger
wsgi: ledger.wsgi:application
packages: []
workers: 1
release: |
  psql -XAtqc 'CREATE TABLE IF NOT EXISTS entry (text text)'
services: ${services}
environments: { live: { nodes: ${nodes} } }
`
const services = '[{ postgres: { extensions: [pg_trgm, pageinspect] } }]'
const files: Files = {
  'kraftwerk.yaml': yamlOf(services),
  'ledger/__init__.py': '',
  'ledger/wsgi.py': `import subprocess
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [subprocess.check_output(['psql', '-XAtqc', 'SELECT count(*) FROM entry'])]
`,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'ledger')
  await writeFiles(project, files)
  await provisionPrepared(story, ['front', 'back'])
  await must('deploy:live')
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const must = (...args: string[]) => story.must(args, { cwd: project })
const on = async (node: 'front' | 'back', script: string) => (await story.onNode(node, script)).trim()
const as = async (script: string) => (await must('run:live', '--', 'bash', '-ec', script)).stdout.trim()
const psql = (statements: string) => as(`psql -XAtqc "${statements}"`)
const admin = (statement: string) => on('back', `runuser -u postgres -- psql -XAtqc "${statement}"`)
const counted = async (node = 'front') => {
  const host = await story.address(node)
  return (await ask(host, { path: '/', host })).text.trim()
}
/** What is in the databases of `back`, but for what the server counts about them. */
const hash = (database: string) =>
  on('back', `runuser -u postgres -- pg_dump ${database} | grep -v '^.[un]*restrict' | sha256sum`)

test('a database on a node with the role db is reached over TLS from the web nodes alone, and nobody sees its password', async () => {
  await psql("INSERT INTO entry VALUES ('one'), ('two')")
  expect(await counted()).toBe('2')
  expect(await psql('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toBe('t|TLSv1.3')
  expect(await as('echo "$PGSSLMODE $(stat -c %U:%a "$PGSSLROOTCERT")"')).toBe('verify-full root:640')
  const password = await as('echo "$PGPASSWORD"')
  expect(password).toMatch(/^\w{40,}$/)
  const front = await story.address('front')
  expect(await on('back', 'cat /etc/kraftwerk/ledger/postgres.clients; stat -c %a /etc/kraftwerk/ledger/postgres.password')).toBe(
    `${front}\n600`,
  )
  expect(await on('front', 'stat -c %U:%a /etc/kraftwerk/ledger/postgres.access')).toBe('root:600')
  expect(await on('back', "grep -c '^hostssl' /etc/postgresql/15/main/pg_hba.conf; ls /etc/kraftwerk")).toBe('1\nledger')
  const [chain = ''] = (await on('back', 'nft list chain inet kraftwerk input')).split('\n').filter((row) => row.includes('5432'))
  expect(
    chain
      .replace(/[{}]| +/g, ' ')
      .replace(/ +/g, ' ')
      .trim(),
  ).toBe(`ip saddr ${front} tcp dport 5432 accept`)
  // From elsewhere, with the right password, nobody comes in.
  expect(
    await on('back', `PGPASSWORD=${password} psql -h "$(hostname -I | cut -d ' ' -f 1)" -U ledger ledger 2>&1 || :`),
  ).toContain('no pg_hba.conf entry')
  // Another server with the same address would be found out.
  expect(await as('PGSSLROOTCERT=/etc/ssl/certs/ca-certificates.crt psql -c "SELECT 1" 2>&1 || :')).toContain(
    'certificate verify failed',
  )
  const said = await must('deploy:live', '--debug')
  expect(`${said.stdout}${said.stderr}`).not.toContain(password)
  expect((await must('diff:live')).stdout).toContain('a deploy would change nothing')
  expect(await on('back', 'cat /var/log/postgresql/*')).not.toContain(password)
})

test('what the owner of a database has put into its search path is not run with the rights of the server', async () => {
  const grab = 'BEGIN ALTER ROLE ledger SUPERUSER; RETURN 0; EXCEPTION WHEN OTHERS THEN RETURN 0; END'
  await psql(`CREATE SCHEMA evil; CREATE FUNCTION evil.grab() RETURNS oid LANGUAGE plpgsql AS '${grab}';
    CREATE VIEW evil.pg_extension AS SELECT extname, evil.grab() AS extowner FROM pg_catalog.pg_extension;
    ALTER DATABASE ledger SET search_path = public, evil, pg_catalog`)
  await must('deploy:live')
  expect(await admin("SELECT rolsuper FROM pg_roles WHERE rolname = 'ledger'")).toBe('f')
  await psql('ALTER DATABASE ledger RESET search_path; DROP SCHEMA evil CASCADE')
})

test('what the database holds is dumped, lost, and loaded again; bootstrap leaves it reachable', async () => {
  await psql("CREATE INDEX ON entry USING gin (text gin_trgm_ops); INSERT INTO entry VALUES ('three')")
  const { members } = JSON.parse((await must('dump:live', 'all.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([{ service: 'postgres', file: 'postgres.dump.zst', counts: { 'rows.public.entry': 3 } }])
  const before = await hash('ledger')
  await psql("DELETE FROM entry; INSERT INTO entry VALUES ('other'); CREATE TABLE later (x int)")
  await must('load:live', 'all.bundle', '--yes')
  expect([await counted(), await hash('ledger')]).toEqual(['3', before])
  const databases = "SELECT datname FROM pg_database WHERE datname LIKE 'ledger%' ORDER BY 1"
  expect(await admin(databases)).toBe('ledger\nledger+empty\nledger+former')
  expect(
    await admin(
      "SELECT DISTINCT has_database_privilege('public', datname, 'CONNECT') FROM pg_database WHERE datname LIKE 'ledger%'",
    ),
  ).toBe('f')
  expect((await must('bootstrap:back', '--dry-run')).stderr).not.toContain('PostgreSQL listens')
  expect((await must('status:live')).stdout).toMatch(/^back: data for the others$/m)

  await must('destroy:live', '--yes')
  expect(await admin(`${databases}; SHOW listen_addresses`)).toBe('localhost')
  expect(await on('back', 'grep -c ledger /etc/postgresql/15/main/pg_hba.conf || ls /etc/kraftwerk')).toBe('0')
  // Several web nodes have the same data, and one of them may be where it is.
  await writeFile(join(project, 'kraftwerk.yaml'), yamlOf(services, '{ web: [front, back], db: [back] }'))
  await must('deploy:live')
  await must('load:live', 'all.bundle', '--yes')
  expect([await counted(), await counted('back'), await hash('ledger')]).toEqual(['3', '3', before])
  expect((await must('diff:live')).stdout).not.toContain('Configuration')
})

test('a database at an address is used with the rights of its role, and a load that lacks them is refused at first', async () => {
  const url = await as('echo "postgresql://ledger:$PGPASSWORD@$PGHOST/outside"')
  const authority = (await on('front', 'cat /web/ledger/postgres/authority.crt')).replaceAll('\n', '\n      ')
  await admin('ALTER ROLE ledger NOCREATEDB')
  await admin('CREATE DATABASE outside')
  await admin('GRANT ALL ON DATABASE outside TO ledger')
  await on(
    'back',
    `runuser -u postgres -- psql -qd outside -c 'GRANT ALL ON SCHEMA public TO ledger'
    sed -i 's/^hostssl "ledger"/hostssl "outside","outside+beside","outside+former","outside+door","ledger"/' /etc/postgresql/15/main/pg_hba.conf
    systemctl reload postgresql`,
  )
  await writeFile(
    join(project, 'kraftwerk.yaml'),
    yamlOf(`\n  - postgres:\n    url: ${url}\n    authority: |\n      ${authority}`.replaceAll('\n    ', '\n      '), '[front]'),
  )
  const { stdout, stderr } = await must('deploy:live')
  expect(`${stdout}${stderr}`).toContain('postgres at back is not used any more: what it keeps of ledger stays there')
  expect(await counted()).toBe('0')
  await psql("INSERT INTO entry VALUES ('kept')")
  const before = await hash('outside')
  const refused = await kraft('load:live', 'all.bundle', '--yes')
  expect(refused.code).toBe(1)
  expect(failure(refused.stderr)).toContain('ALTER ROLE "ledger" CREATEDB')
  expect(failure(refused.stderr)).toContain('ALTER DATABASE "outside" OWNER TO "ledger"')
  expect(refused.stderr).not.toContain('Send the bundle')
  expect(await hash('outside')).toBe(before)

  await admin('ALTER ROLE ledger CREATEDB')
  await admin('ALTER DATABASE outside OWNER TO ledger')
  expect((await kraft('load:live', 'all.bundle', '--yes')).stderr).toContain('permission denied to create extension')
  expect(await hash('outside')).toBe(before)
  await must('dump:live', 'outside.bundle')
  await psql('DELETE FROM entry')
  await must('load:live', 'outside.bundle', '--yes')
  expect(await counted()).toBe('1')
  expect(await admin("SELECT datname FROM pg_database WHERE datname LIKE 'outside%' ORDER BY 1")).toBe('outside\noutside+former')
})
