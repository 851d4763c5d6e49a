import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { parse } from 'yaml'
import { ensurePackages } from './packages.js'

const cloudConfig = v.object({
  ssh_deletekeys: v.literal(true),
  ssh_keys: v.object({ ed25519_private: v.string(), ed25519_public: v.string() }),
  ssh_authorized_keys: v.array(v.string()),
})

/** An sshd that stands for the node. */
export interface BootedNode {
  /** Its /etc/ssh. */
  readonly ssh: string
  stop(): Promise<void>
}

/** Installs what {@link bootNode} needs. */
export async function prepareNode(): Promise<void> {
  await ensurePackages(['openssh-server', 'openssh-client'])
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  server.close()
  await once(server, 'close')
  if (place === null || typeof place === 'string') throw new Error('No port is free')
  return place.port
}

/**
 * Does with the user data what cloud-init does with its ssh part: a real sshd on 127.0.0.1 with that host key and those
 * authorized keys. What its logins see as /etc/ssh, and kraft's own folders, are the node's; systemctl reloads this sshd. Needs root.
 * It dies with this process.
 */
export async function bootNode(userData: string, port: number): Promise<BootedNode> {
  if (!userData.startsWith('#cloud-config\n')) throw new Error(`cloud-init would ignore this user data:\n${userData}`)
  const config = v.parse(cloudConfig, parse(userData))
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-ec2-node-'))
  const file = (name: string) => join(folder, name)
  await chmod(folder, 0o755)
  await mkdir(file('ssh'))
  await writeFile(file('ssh/ssh_host_ed25519_key'), config.ssh_keys.ed25519_private, { mode: 0o600 })
  await writeFile(file('ssh/ssh_host_ed25519_key.pub'), `${config.ssh_keys.ed25519_public}\n`)
  await writeFile(file('authorized_keys'), config.ssh_authorized_keys.join('\n'), { mode: 0o644 })
  await writeFile(file('systemctl'), `#!/bin/sh\n[ "$1" = try-reload-or-restart ] && kill -HUP "$(cat ${file('pid')})"\n`, {
    mode: 0o755,
  })
  await writeFile(
    file('ssh/sshd_config'),
    `ListenAddress 127.0.0.1
Port ${port}
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile ${file('authorized_keys')}
PidFile ${file('pid')}
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM yes
`,
  )
  const sshd = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-euc', inRoom, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    sshd.stderr.on('data', (chunk) => {
      said += chunk
      if (said.includes('Server listening')) resolve()
    })
    sshd.on('error', reject)
    sshd.on('exit', () => reject(new Error(`sshd ended:\n${said}`)))
  })
  return {
    ssh: file('ssh'),
    async stop() {
      const ended = once(sshd, 'exit')
      if (sshd.exitCode === null && sshd.kill()) await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const inRoom = `
for each in /run/kraftwerk /var/lib/kraftwerk; do
  mkdir -p "$each"
  mount -t tmpfs -o mode=0755 tmpfs "$each"
done
mount --bind "$0/ssh" /etc/ssh
mount --bind "$0/systemctl" "$(command -v systemctl)"
exec /usr/sbin/sshd -D -e`
