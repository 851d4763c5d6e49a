// dump and load of 300 MB in PostgreSQL and 300 MB of uploads, against pg_dump through zstd over ssh and rsync, and the way back.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, ratio, spread, time } from './measure.mjs'
import { call, env, kraft, openssh, outside } from './place.mjs'

export const about = 'dump and load of 300 MB of PostgreSQL and 300 MB of uploads'
export const needsNode = true

const files = {
  'kraftwerk.yaml':
    'name: heavy\nwsgi: heavy.wsgi:application\nworkers: 1\npackages: []\nservices: [postgres, files]\nenvironments: { stage: { nodes: [bench], domain: heavy.test } }\n',
  'heavy/__init__.py': '',
  'heavy/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [])
    return [b'']
`,
}

// Rows that compress about as text does; uploads that don't, as pictures.
const fill = `psql -XAtqc "CREATE TABLE word (id bigint PRIMARY KEY, text text);
  INSERT INTO word SELECT n, md5(n::text) || repeat(' some words of a text', 6) FROM generate_series(1, 1500000) AS n;
  SELECT pg_size_pretty(pg_database_size(current_database()))"
cd "$UPLOADS_PATH"; for folder in $(seq 20); do mkdir -p $folder; for each in $(seq 100); do head -c 157286 /dev/urandom >$folder/$each; done; done; du -sh .`

export async function measure({ runs, signal, row, node }) {
  const project = join(outside, 'heavy')
  const local = join(outside, 'heavy-local')
  mkdirSync(local, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(project, path, '..'), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  const ssh = openssh(node)
  const login = ssh.at(-1)
  const here = { cwd: local, env, signal }
  const tools = 'apt-get install -qq rsync zstd time'
  await time(['sh', '-c', tools], here)
  await time([...ssh, tools], here)
  await call(['deploy:stage'], { cwd: project, signal })
  await call(['run:stage', '--', 'bash', '-ec', fill], { cwd: project, signal })
  const over = ssh.slice(0, -1).join(' ')
  const script = (name, text) => {
    writeFileSync(join(local, name), text)
    return { command: ['bash', '-eo', 'pipefail', name], ...here }
  }
  const memory = (name) => join(local, `${name}.memory`)
  const measured = (name, ...words) => ({
    command: ['/usr/bin/time', '-f', '%M', '-a', '-o', memory(name), ...kraft, ...words],
    ...here,
    cwd: project,
  })
  // In kilobytes of GNU time.
  const most = (name) => Math.max(...readFileSync(memory(name), 'utf8').split('\n').map(Number)) / 1024
  const bundle = join(local, 'heavy.bundle')

  const dumped = {
    bare: {
      ...script(
        'dump.sh',
        `${over} ${login} 'runuser -u heavy -- pg_dump -Fc -Z0 heavy | zstd -q' >pg.zst
rsync -a -e '${over}' ${login}:/web/heavy/uploads/ uploads/`,
      ),
      before: () => rmSync(join(local, 'uploads'), { recursive: true, force: true }),
    },
    kraft: measured('dump', 'dump:stage', bundle),
  }
  const dump = await inTurns(dumped, runs, signal)
  row({ what: 'pg_dump through zstd over ssh, then rsync: 300 MB of PostgreSQL, 300 MB of files', ...spread(dump.bare) })
  row({ what: 'kraft dump of the same, proven', ...spread(dump.kraft), ratio: ratio(dump.kraft, dump.bare), most: 1.1 })
  row({ what: 'the most memory that it takes, in MB', count: Math.round(most('dump')), runs, mostCount: 150 })

  const clean = `rm -rf /srv/uploads; mkdir -p /srv/uploads; cd /; runuser -u postgres -- dropdb --if-exists bare`
  // Neither has to write to the disk, or to remove, what the other one has left.
  const settled = 'while [ -e /web/heavy/.uploads.retired ]; do sleep 0.1; done; sync'
  const loaded = {
    bare: {
      ...script(
        'load.sh',
        `${over} ${login} 'cd /; runuser -u postgres -- createdb -O heavy bare
  zstd -dcq | runuser -u heavy -- pg_restore --no-owner --single-transaction -d bare' <pg.zst
rsync -a -e '${over}' uploads/ ${login}:/srv/uploads/`,
      ),
      before: () => time([...ssh, `${clean}; ${settled}`], here),
    },
    kraft: {
      ...measured('load', 'load:stage', bundle, '--yes', '--verbose'),
      // The application's new processes, which know no other data.
      until: 'Switch to generation',
      before: () => time([...ssh, settled], here),
    },
  }
  const load = await inTurns(loaded, runs, signal)
  row({ what: 'pg_restore through zstd over ssh and rsync, the way back', ...spread(load.bare) })
  row({
    what: 'kraft load of the same until visitors get it: proven, counted, swapped, switched',
    ...spread(load['kraft until']),
    ratio: ratio(load['kraft until'], load.bare),
    most: 1.1,
  })
  row({
    what: 'the same until the old processes are gone',
    ...spread(load.kraft),
    ratio: ratio(load.kraft, load.bare),
    most: 1.1,
  })
  row({ what: 'the most memory that it takes, in MB', count: Math.round(most('load')), runs, mostCount: 150 })
}
