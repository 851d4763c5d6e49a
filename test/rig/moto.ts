import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ensurePackages } from './packages.js'

const run = promisify(execFile)
const version = '5.2.5'

/** An image that {@link startMoto} offers besides none of its own. */
export interface MotoImage {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly architecture: 'x86_64' | 'arm64'
  /** ISO 8601. */
  readonly created: string
}

/** moto's server: EC2, S3 and IAM in memory. */
export interface Moto {
  readonly url: string
  /** A Python that has boto3. */
  readonly python: string
  /** Forgets everything that was made. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts moto on a free port of loopback, or of another address of this machine. The first time it is installed below KRAFT_TEST_CACHE (`~/.cache/kraftwerk-tests`),
 * which takes a minute. It dies with this process, whatever happens.
 */
export async function startMoto(images: readonly MotoImage[], host = '127.0.0.1'): Promise<Moto> {
  const venv = await install()
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-moto-'))
  await writeFile(join(folder, 'images.json'), JSON.stringify(images.map(described)))
  const server = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', join(venv, 'bin', 'python'), '-m', 'moto.server', '-H', host, '-p', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, MOTO_AMIS_PATH: join(folder, 'images.json') } },
  )
  const url = await address(server)
  return {
    url,
    python: join(venv, 'bin', 'python'),
    async reset() {
      const answer = await fetch(`${url}/moto-api/reset`, { method: 'POST' })
      if (!answer.ok) throw new Error(`moto could not be reset: ${answer.status}`)
    },
    async stop() {
      const ended = once(server, 'exit')
      if (server.exitCode === null && server.kill()) await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function install(): Promise<string> {
  await ensurePackages(['python3-venv'])
  const cache = process.env.KRAFT_TEST_CACHE || join(homedir(), '.cache', 'kraftwerk-tests')
  await mkdir(cache, { recursive: true })
  const venv = join(cache, `moto-${version}`)
  // An installation that was killed half-way has no mark and is made anew.
  const script = `
    [ ! -e "$1/complete" ] || exit 0
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check "moto[server,ec2]==$2"
    touch "$1/complete"`
  await run('flock', [`${venv}.lock`, 'sh', '-euc', script, 'install', venv, version], { maxBuffer: 16 << 20 })
  return venv
}

async function address(server: ChildProcess): Promise<string> {
  if (server.stderr === null) throw new Error('moto was started without its stderr')
  const said: string[] = []
  // Reading goes on after the address: a full pipe would stop the server.
  const lines = createInterface(server.stderr)
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const found = /Running on (http:\/\/[\d.]+:\d+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
      if (said.length < 50) said.push(line)
    })
    server.on('error', reject)
    server.on('exit', () => reject(new Error(`moto ended:\n${said.join('\n')}`)))
  })
}

function described({ id, name, owner, architecture, created }: MotoImage): Record<string, unknown> {
  return {
    ami_id: id,
    name,
    owner_id: owner,
    architecture,
    creation_date: created,
    description: name,
    image_location: `${owner}/${name}`,
    image_type: 'machine',
    state: 'available',
    public: true,
    platform: null,
    hypervisor: 'xen',
    virtualization_type: 'hvm',
    root_device_name: '/dev/xvda',
    root_device_type: 'ebs',
    sriov: 'simple',
  }
}
