import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const version = '4.2.0'
const packages = [
  'express@4.22.3',
  `express-pouchdb@${version}`,
  ...['core', 'adapter-memory', 'mapreduce', 'replication'].map((part) => `pouchdb-${part}@7.3.1`),
]

/** A server that speaks CouchDB's API: PouchDB's, in memory, for one user. */
export interface Couchdb {
  readonly url: string
  stop(): Promise<void>
}

const program = `
const [address, login, folder] = process.argv.slice(1)
process.chdir(folder)
const load = require('node:module').createRequire(folder + '/')
const PouchDB = ['mapreduce', 'replication', 'adapter-memory'].reduce(
  (made, part) => made.plugin(load('pouchdb-' + part)), load('pouchdb-core')).defaults({ adapter: 'memory' })
const app = load('express')()
app.use((request, response, next) => {
  const wanted = 'Basic ' + Buffer.from(login).toString('base64')
  if (request.headers.authorization === wanted) return next()
  response.status(401).json({ error: 'unauthorized' })
})
const routes = { include: ['routes/all-dbs', 'routes/security'] }
app.use(load('express-pouchdb')(PouchDB, { inMemoryConfig: true, mode: 'minimumForPouchDB', overrideMode: routes, logPath: '/dev/null' }))
const server = app.listen(0, address, () => console.log('port ' + server.address().port))
`

/**
 * Starts it on an address for a user and a password. The first time it is installed below KRAFT_TEST_CACHE
 * (`~/.cache/kraftwerk-tests`). It dies with this process, whatever happens.
 */
export async function startCouchdb(
  address: string,
  login: { readonly user: string; readonly password: string },
): Promise<Couchdb> {
  const folder = await install()
  const words = ['-e', program, address, `${login.user}:${login.password}`, folder]
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...words], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(server, 'exit')
  const port = await new Promise<string>((resolve, reject) => {
    server.on('error', reject)
    ended.then(() => reject(new Error('the server of PouchDB ended')), reject)
    createInterface(server.stdout).on('line', (line) => {
      const found = /^port (\d+)$/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return {
    url: `http://${address}:${port}`,
    async stop() {
      if (server.exitCode === null && server.kill()) await ended
    },
  }
}

async function install(): Promise<string> {
  const cache = process.env.KRAFT_TEST_CACHE || join(homedir(), '.cache', 'kraftwerk-tests')
  await mkdir(cache, { recursive: true })
  const folder = join(cache, `pouchdb-${version}`)
  // An installation that was killed half-way has no mark and is made anew.
  const script = `
    [ ! -e "$1/complete" ] || exit 0
    rm -rf "$1"
    mkdir "$1"
    cd "$1"
    shift
    echo '{}' >package.json
    npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@"
    touch complete`
  await run('flock', [`${folder}.lock`, 'sh', '-euc', script, 'install', folder, ...packages], { maxBuffer: 16 << 20 })
  return folder
}
