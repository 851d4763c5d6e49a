import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { lines, sh } from '../../../engine/shell/sh.js'
import type { State } from './names.js'
import { proxyEnvironment } from './proxies.js'
import { asRoot } from './root.js'

/** Debian releases that a node can have. */
export const suites = ['bookworm', 'trixie'] as const
export type Suite = (typeof suites)[number]

/** What is on a fresh node: about what a cloud's Debian image brings. */
export const packages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'sudo',
  'python3',
  'ca-certificates',
  'iproute2',
  'iputils-ping',
  'procps',
]

/** Units that do nothing good in a node of this kind: network that is up already, clocks and kernel that are the host's. */
export const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'console-getty.service',
  'systemd-networkd-wait-online.service',
  'systemd-timesyncd.service',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
]

// Nodes have no name server, so a look-up fails at once; mirrors behind TLS go through apt-cacher-ng, which does the TLS.
const finish = sh`
  rm -f "$new"/etc/ssh/ssh_host_*
  : >"$new/etc/resolv.conf"
  echo LANG=C.UTF-8 >"$new/etc/default/locale"
  echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/kraftwerk"
  sed -i 's,https://,http://HTTPS///,' "$new/etc/apt/sources.list"
  install -d "$new/etc/systemd/system/ssh.service.d"
  printf '[Unit]\nAfter=systemd-user-sessions.service\n' >"$new/etc/systemd/system/ssh.service.d/logins.conf"
  systemctl --root="$new" -q mask ${masked}`

/** The folder of the image that new nodes of a release get. A later kraft that builds it differently has another folder. */
export function imageName(suite: Suite): string {
  const recipe = createHash('sha256').update(packages.join()).update(finish.text).digest('hex').slice(0, 8)
  return `${suite}-${recipe}`
}

/**
 * Builds the read-only file system that all nodes of a release share, unless it is there: 40 s once. A build that is cut short
 * leaves nothing that would be used. Throws a KraftError.
 */
export async function buildImage(
  state: State,
  suite: Suite,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const image = `${state.root}/images/${imageName(suite)}`
  const built = await asRoot(`Look for the ${suite} image`, sh`[ -d ${image} ] || exit 1`, { expected: [1] })
  if (built.code === 0) return
  const mirror = await findMirror()
  const sources = [
    `deb ${mirror.main} ${suite} main`,
    `deb ${mirror.main} ${suite}-updates main`,
    `deb ${mirror.security} ${suite}-security main`,
  ]
  const build = sh`
    [ ! -e ${image} ] || exit 0
    echo ${`Building a ${suite} image, once (about a minute)`}
    install -d -m 755 ${state.root}
    install -d -m 700 ${state.root}/images
    new=${image}.new
    rm -rf --one-file-system "$new"
    # With mounts of its own, which nobody else walks into, and which are gone however it ends.
    printf '%s\n' ${sources} | unshare --mount mmdebstrap --quiet --mode=root --variant=minbase --include=${packages.join()} ${mirror.options} ${suite} "$new" -`
  const publish = sh`
    sync -f "$new"
    mv "$new" ${image}`
  await asRoot(`Build the ${suite} image`, lines(build, finish, publish), {
    lock: `${state.root}/locks/${suite}`,
    environ: proxyEnvironment(process.env),
    onLine: progress,
    signal,
  })
}

interface Mirror {
  readonly main: string
  readonly security: string
  /** How this machine's apt reaches them, for mmdebstrap, which does not read its settings. */
  readonly options: readonly string[]
}

/** The Debian mirrors that this machine's own apt uses, Debian's where it has none (on Ubuntu). */
export async function findMirror(): Promise<Mirror> {
  const sites = (await output('apt-get', ['indextargets', '--format', '$(SITE)']))
    .split('\n')
    .map((site) => site.replace(/\/+$/, ''))
  return {
    main: sites.find((site) => /^https?:.*\/debian$/.test(site)) ?? 'http://deb.debian.org/debian',
    security: sites.find((site) => /^https?:.*debian-security$/.test(site)) ?? 'http://deb.debian.org/debian-security',
    options: (await aptSettings(['Acquire::http::Proxy', 'Acquire::https::Proxy', 'Acquire::Check-Valid-Until'])).map(
      (setting) => `--aptopt=${setting}`,
    ),
  }
}

/** Settings of this machine's apt as lines of an apt.conf, those that are set. */
export async function aptSettings(names: readonly string[]): Promise<string[]> {
  const dump = await output('apt-config', ['dump'])
  return dump.split('\n').filter((line) => names.some((name) => line.startsWith(`${name} `) && !line.endsWith('"";')))
}

async function output(program: string, given: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, [...given], { maxBuffer: 1 << 24 })).stdout
}
