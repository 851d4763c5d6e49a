import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gateway } from '../../recipes/providers/local/names.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { ownCertificate } from './own-certificate.js'
import { ensurePackages } from './packages.js'

const run = promisify(execFile)

/** Pebble, the test server of Let's Encrypt, with a DNS of its own. */
export interface Pebble {
  readonly directory: string
  /** Keys of `https:` by which a project gets its certificates there. */
  readonly settings: string
  /** File of the certificate that signs what it gives. */
  readonly root: string
  /** Says in its DNS where a name is; undefined: nowhere. */
  point(name: string, address: string | undefined): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts Pebble where local nodes reach it. It asks names of its own DNS and comes to port 80 of what that says, and to nothing
 * else. It dies with this process, whatever happens.
 */
export async function startPebble(env: NodeJS.ProcessEnv): Promise<Pebble> {
  const address = gateway(stateFrom(env))
  await ensurePackages(['pebble'])
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-pebble-'))
  const [config, root] = [join(folder, 'config.json'), join(folder, 'root.pem')]
  const { ca, key } = await ownCertificate(folder, address)
  const pebble = {
    listenAddress: `${address}:14000`,
    managementListenAddress: `${address}:15000`,
    certificate: ca,
    privateKey: key,
    httpPort: 80,
    tlsPort: 443,
  }
  await writeFile(config, JSON.stringify({ pebble }))
  const off = ['http01', 'https01', 'tlsalpn01', 'defaultIPv4', 'defaultIPv6'].flatMap((name) => [`-${name}`, ''])
  const dns = start('pebble-challtestsrv', ['-dns01', `${address}:8053`, '-management', `${address}:8055`, ...off])
  const server = start('pebble', ['-config', config, '-dnsserver', `${address}:8053`])
  const tell = (what: string, body: unknown) =>
    run('curl', ['-sSf', '-d', JSON.stringify(body), `http://${address}:8055/${what}`])
  const ready = ['--retry', '50', '--retry-connrefused', '--retry-delay', '0', '--retry-max-time', '20']
  await run('curl', ['-sSf', ...ready, '-d', '{"ip":""}', `http://${address}:8055/set-default-ipv4`])
  await run('curl', ['-sSf', ...ready, '--cacert', ca, '-o', root, `https://${address}:15000/roots/0`])
  const directory = `https://${address}:14000/dir`
  return {
    directory,
    settings: `directory: '${directory}', ca: ${ca}`,
    root,
    async point(name, to) {
      await tell('clear-a', { host: `${name}.` })
      if (to !== undefined) await tell('add-a', { host: `${name}.`, addresses: [to] })
    },
    async stop() {
      for (const child of [server, dns]) {
        const ended = once(child, 'exit')
        if (child.exitCode === null && child.kill()) await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function start(program: string, words: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', program, ...words], {
    stdio: 'ignore',
    // It would wait at random and refuse at random, to keep clients honest.
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
  })
}
