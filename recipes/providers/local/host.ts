import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import type { Lack } from '../../../engine/node/provider.js'
import { lines, sh } from '../../../engine/shell/sh.js'
import { bridgeName, type State } from './names.js'
import { ownNetwork } from './network.js'
import { proxyEnvironment } from './proxies.js'
import { asRoot, checkRoot, explain } from './root.js'

/** What must be installed on this machine to make nodes. */
export const hostPackages = [
  'systemd-container',
  'iproute2',
  'openssh-client',
  'mmdebstrap',
  'debian-archive-keyring',
  'gpg',
  'apt-cacher-ng',
  'zstd',
  'python3-venv',
] as const

/**
 * Makes this machine able to hold nodes: refuses what can't work, installs what is missing. Safe to run several times at once.
 * Throws a KraftError.
 */
export async function prepareHost(state: State, progress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  await checkMachine()
  await checkRoot()
  const missing = await missingPackages()
  if (missing.length > 0) await install(missing, progress, signal)
  // Where nodes run already nothing is lacking.
  const isUsed = existsSync(`/sys/class/net/${bridgeName(state)}`)
  await asRoot('Check what this machine can do', isUsed ? ownNetwork(state) : features)
}

/** What {@link prepareHost} would refuse or install, without changing anything. */
export async function hostLacks(): Promise<readonly Lack[]> {
  try {
    await checkMachine()
    await checkRoot()
  } catch (error) {
    if (!isKraftError(error)) throw error
    return [{ what: error.message, next: 'next' in error.failure ? (error.failure.next ?? '') : '' }]
  }
  const missing = await missingPackages()
  if (missing.length === 0) return []
  const next = `kraft provision NAME installs them, or you: apt-get install --no-install-recommends ${missing.join(' ')}`
  return [{ what: `Not installed on this machine: ${missing.join(' ')}`, next, byItself: true }]
}

async function checkMachine(): Promise<void> {
  const message = await unable()
  if (message === undefined) return
  throw new KraftError({
    kind: 'task',
    message,
    next: 'Use another provider: `kraft provision NAME --provider ec2`, or a Debian machine for local nodes.',
  })
}

/** Why systemd-nspawn can't run nodes on this machine, whoever calls; undefined: it can. */
export async function unable(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `Local nodes need Linux; this is ${process.platform}`
  if (process.arch !== 'x64') return `Local nodes need an x86-64 machine; this is ${process.arch}`
  const debian = await readFile('/etc/debian_version', 'utf8').catch(() => undefined)
  return debian === undefined ? 'Local nodes need Debian or Ubuntu on this machine' : undefined
}

/** Packages of {@link hostPackages} that are not installed. */
export async function missingPackages(): Promise<string[]> {
  const known = await promisify(execFile)('dpkg-query', ['-W', `-f=\${Package} \${db:Status-Status}\\n`, ...hostPackages]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }), // unknown names make it fail, the others are still listed
  )
  const installed = new Set(
    known.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return hostPackages.filter((name) => !installed.has(name))
}

async function install(missing: readonly string[], progress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  progress(`Installing on this machine: ${missing.join(' ')}`)
  const script = lines(
    missing.includes('apt-cacher-ng') ? sh`mask=/run/systemd/system/apt-cacher-ng.service` : sh`mask=`,
    // Its package would start a daemon on all addresses; ours listens on the bridge alone.
    sh`
      if [ -n "$mask" ] && [ -d /run/systemd/system ]; then ln -sf /dev/null "$mask"; systemctl daemon-reload; fi
      export DEBIAN_FRONTEND=noninteractive
      apt-get -q -o DPkg::Lock::Timeout=600 update
      apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends ${missing}
      if [ -n "$mask" ]; then
        if [ -d /run/systemd/system ]; then
          rm -f "$mask"
          systemctl daemon-reload
          systemctl disable --quiet --now apt-cacher-ng.service || :
        else
          /etc/init.d/apt-cacher-ng stop || :
          update-rc.d apt-cacher-ng disable
        fi
      fi`,
  )
  await asRoot(`Install ${missing.join(' ')}`, script, {
    lock: '/run/lock/kraftwerk-packages.lock',
    environ: proxyEnvironment(process.env),
    onLine: progress,
    signal,
  })
}

const elsewhere = 'Use podman or Docker (--set engine=podman), or another provider: --provider ec2'

// nspawn can join a network namespace that is there before it since version 236 and has --console since 242.
const features = sh`
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || :
  grep -qw overlay /proc/filesystems || ${explain('Local nodes need overlayfs, which the kernel of this machine lacks', elsewhere)}
  version=$(systemd-nspawn --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "0$version" -ge 247 ] || ${explain('Local nodes need systemd-nspawn 247 or later (Debian 11, Ubuntu 22.04)', elsewhere)}
  grep -q cgroup2 /proc/mounts || ${explain('Local nodes need cgroup2, which is not mounted on this machine', elsewhere)}`
