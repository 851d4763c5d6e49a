import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { stateFrom } from '../../recipes/providers/local/state.js'
import type { Prepared } from './container-base.js'
import { importBase } from './container-base.js'
import { ensurePackages } from './packages.js'

const execute = promisify(execFile)

/**
 * Starts a Docker of the tests' own beside any other, with all that it keeps in a folder of theirs. Its base image is the file system of
 * the local nodes under the name of Debian's, because no registry is needed for that. Images stay for the next run.
 */
export async function prepareDocker(): Promise<Prepared> {
  const isThere = await execute('sh', ['-c', 'command -v dockerd']).then(
    () => true,
    () => false,
  )
  if (!isThere) await ensurePackages(['docker.io'])
  const state = stateFrom(process.env)
  const folder = `${state.root}/docker`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await endFormer(folder)
  const [, , third] = state.subnet.split('.')
  // Not docker0, which another Docker of this machine may have.
  const bridge = { name: `kraft-dkr-${third}`, address: `10.79.${third}.1/24` }
  const tidy = () => execute('sh', ['-c', left, folder, bridge.name])
  await tidy()
  await execute('sh', ['-euc', made, bridge.name, bridge.address])
  const socket = `unix://${folder}/socket`
  const log = openSync(join(folder, 'log'), 'w')
  const own = (name: string) => join(folder, name)
  const where = ['--host', socket, '--data-root', own('data'), '--exec-root', own('exec'), '--pidfile', own('pid')]
  // No rules in the machine's firewall: what is published goes through a proxy.
  const network = ['--iptables=false', `--bridge=${bridge.name}`]
  const daemon = spawn('dockerd', [...where, ...network, ...(await ownRuntime(folder))], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = once(daemon, 'close')
  const environ = { DOCKER_HOST: socket }
  const answers = () =>
    execute('docker', ['info', '--format', '{{.ServerVersion}}'], { env: { ...process.env, ...environ } }).then(
      ({ stdout }) => stdout.trim() !== '',
      () => false,
    )
  while (!(await answers())) {
    if (daemon.exitCode !== null) throw new Error(`dockerd ended:\n${(await readFile(own('log'), 'utf8')).slice(-2_000)}`)
    await pause(200)
  }
  await importBase('docker', environ)
  return {
    environ,
    async stop() {
      daemon.kill('SIGTERM')
      await ended
      await tidy()
    },
  }
}

/**
 * Options that let a privileged container start on a machine which has not all rights itself (a small virtual machine): Docker would ask
 * for all, and is refused.
 */
async function ownRuntime(folder: string): Promise<readonly string[]> {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? ''
  const resource = 1n << 24n
  if ((BigInt(`0x${bounding}`) & resource) !== 0n) return []
  const wrapper = join(folder, 'runc')
  await writeFile(wrapper, runc, { mode: 0o700 })
  return ['--add-runtime', `own=${wrapper}`, '--default-runtime', 'own']
}

const runc = `#!/bin/sh
for word; do
  case $last in --bundle) file=$word/config.json ;; --process) file=$word ;; *) file= ;; esac
  [ -z "$file" ] || sed -i 's/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE",//g' "$file"
  last=$word
done
exec runc "$@"
`

const made = 'ip link add "$0" type bridge; ip addr add "$1" dev "$0"; ip link set "$0" up'
// A daemon leaves them behind, also one that is told to end.
const left = 'umount "$0"/exec/netns/* 2>/dev/null; ip link del "$1" 2>/dev/null || :'

// A run that was killed leaves its daemon.
async function endFormer(folder: string): Promise<void> {
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''))
  if (pid === 0) return
  const isOurs = () =>
    readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (line) => line.includes(folder),
      () => false,
    )
  if (await isOurs()) process.kill(pid, 'SIGTERM')
  while (await isOurs()) await pause(100)
}
