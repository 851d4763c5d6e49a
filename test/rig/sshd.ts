import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { NodeRecord } from '../../engine/node/record.js'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { ensurePackages } from './packages.js'

const run = promisify(execFile)
const prefix = 'kraftwerk-sshd-'

/** A real sshd on loopback that lets the current user in with a key of its own. */
export interface Sshd {
  /** Everything of this sshd; also a home for the test. */
  readonly folder: string
  readonly port: number
  /** Public host keys as in known_hosts without the name: ed25519 and the second. */
  readonly hostKeys: readonly string[]
  /** The private key that it lets in. */
  readonly identity: string
  readonly knownHosts: string
  /** An ssh_config that names the identity and known_hosts above, and no agent. */
  readonly configFile: string
  /** The node as nodes.yaml would remember it. */
  readonly record: NodeRecord
  /** What it logged. */
  log(): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts an sshd; `config` are further lines of sshd_config, which win; `second` is its host key beside ed25519. Its logins
 * find the folders in `hidden` empty and their own, so that what they write there does not touch this machine; needs root.
 */
export async function startSshd(
  config: readonly string[] = [],
  second: 'ecdsa' | 'rsa' = 'ecdsa',
  hidden: readonly string[] = [],
): Promise<Sshd> {
  await ensurePackages(['openssh-server', 'openssh-client'])
  await removeLeftovers()
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const folder = await mkdtemp(join(tmpdir(), prefix))
  await writeFile(join(folder, 'owner'), String(process.pid))
  const file = (name: string): string => join(folder, name)
  const [host, login, port] = [generateHostKey(), generateHostKey(), await freePort()]
  await writeFile(file('host_ed25519'), host.privateKey, { mode: 0o600 })
  await run('ssh-keygen', ['-q', '-t', second, '-N', '', '-C', '', '-f', file('host_second')])
  await writeFile(file('id'), login.privateKey, { mode: 0o600 })
  await writeFile(file('authorized_keys'), `${login.publicKey}\n`, { mode: 0o600 })
  const hostKeys = [host.publicKey, (await readFile(file('host_second.pub'), 'utf8')).trim()]
  await writeFile(
    file('sshd_config'),
    [
      ...config,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host_ed25519')}`,
      `HostKey ${file('host_second')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      `PidFile ${file('pid')}`,
      // The user's own .bashrc has no place in a test, and may take its time.
      `SetEnv HOME=${folder}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      '',
    ].join('\n'),
  )
  await writeFile(
    file('config'),
    [
      `UserKnownHostsFile ${file('known_hosts')}`,
      'GlobalKnownHostsFile /dev/null',
      `IdentityFile ${file('id')}`,
      'IdentitiesOnly yes',
      'IdentityAgent none',
      '',
    ].join('\n'),
  )
  const log = await open(file('log'), 'a')
  const sshd = ['/usr/sbin/sshd', '-D', '-e', '-f', file('sshd_config')]
  const [command = '', ...args] = hidden.length === 0 ? sshd : ['unshare', '-m', 'sh', '-euc', hide, sshd.join(' '), ...hidden]
  const server = spawn(command, args, { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  await answers(server, port, file('log'))
  const user = userInfo().username
  return {
    folder,
    port,
    hostKeys,
    identity: file('id'),
    knownHosts: file('known_hosts'),
    configFile: file('config'),
    record: { name: 'one', provider: 'static', address: '127.0.0.1', port, user, host_keys: hostKeys },
    log: () => readFile(file('log'), 'utf8'),
    async stop() {
      await end(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const hide = `
for folder in "$@"; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=0755 tmpfs "$folder"
done
exec $0`

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = once(server, 'exit')
  server.kill('SIGTERM')
  await gone
}

/** A port of loopback that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}

async function answers(server: ChildProcess, port: number, log: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) break
    const socket = connect(port, '127.0.0.1')
    const isUp = await once(socket, 'data').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isUp) return
    await sleep(25)
  }
  throw new Error(`sshd did not start:\n${await readFile(log, 'utf8')}`)
}

/** Removes what a crashed run left behind: folders whose test process is gone, and the sshd that each names. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const folder = join(tmpdir(), name)
    const owner = Number(await text(join(folder, 'owner')))
    if (!(owner > 0) || (await text(`/proc/${owner}/cmdline`)).includes('node')) continue
    const pid = Number(await text(join(folder, 'pid')))
    if (pid > 0 && (await text(`/proc/${pid}/cmdline`)).includes(folder)) process.kill(pid, 'SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

function text(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
