import type { Files } from './cli.js'

/** An application that writes a row for each request, and a worker that does so by itself: what is lost or done twice shows. */
export const ledger: Files = {
  'kraftwerk.yaml': `name: ledger
domain: ledger.example.com
https: { certificate: own.pem, key: own.key }
wsgi: ledger.wsgi:application
packages: []
workers: 2
services: [postgres, files]
shared: [media]
release: |
  psql -XAtqc 'CREATE TABLE IF NOT EXISTS entry (id serial, node text, kind text)'
processes:
  ticker: |
    while :; do psql -XAtqc "INSERT INTO entry (node, kind) VALUES ('$(hostname)', 'tick')"; sleep 0.2; done
cron: { nightly: { schedule: '0 0 1 1 *', command: 'true' } }
health: { path: /health, tries: 2, timeout: 3 }
environments:
  live: { live: true, nodes: [one] } # where it is
`,
  'ledger/__init__.py': '',
  'ledger/wsgi.py': `import os, socket, subprocess
def psql(statement):
    return subprocess.check_output(['psql', '-XAtqc', statement])
def application(environ, start_response):
    start_response('500 Broken' if os.path.exists('/etc/broken') else '200 OK', [('Content-Type', 'text/plain')])
    path = environ['PATH_INFO']
    if path == '/write':
        psql("INSERT INTO entry (node, kind) VALUES ('%s', 'request')" % socket.gethostname())
    said = (os.environ['SECRET_KEY'], os.environ.get('COLOUR', ''), environ['HTTP_X_FORWARDED_FOR'], environ['REMOTE_ADDR'])
    return [(socket.gethostname() + (' '.join(('',) + said) if path == '/about' else '')).encode()]
`,
  'media/first.txt': 'from the release\n',
}

/** Services whose data lie in files and in a server of its own, and a certificate by what `https` says. */
export const diary = (https: string): Files => ({
  'kraftwerk.yaml': `name: diary
domain: diary.test
https: { ${https} }
wsgi: diary.wsgi:application
packages: [redis]
workers: 1
services: [redis, sqlite, files]
environments: { live: { nodes: [one] } }
`,
  'diary/__init__.py': '',
  'diary/wsgi.py': `import os, socket, sqlite3, redis
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    visits = redis.from_url(os.environ['REDIS_URL']).incr('visits') if environ['PATH_INFO'] == '/visit' else 0
    with sqlite3.connect(os.environ['SQLITE_PATH']) as pages:
        pages.execute('CREATE TABLE IF NOT EXISTS page (visit)')
        if visits:
            pages.execute('INSERT INTO page VALUES (?)', (visits,))
        return ['{} {} {}'.format(socket.gethostname(), visits, *pages.execute('SELECT count(*) FROM page').fetchone()).encode()]
`,
})

/** Neither a domain nor services. */
export const note: Files = {
  'kraftwerk.yaml': `name: note
wsgi: note:application
packages: []
workers: 1
environments: { live: { nodes: [one] } }
`,
  'note.py': `import socket
def application(environ, start_response):
    start_response('200 OK', [])
    return [socket.gethostname().encode()]
`,
}
