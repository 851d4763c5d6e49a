import { createHash } from 'node:crypto'
import { lines, sh } from '../../../engine/shell/sh.js'
import { findMirror, mirrorFailure } from './mirror.js'
import type { State } from './names.js'
import { proxyEnvironment } from './proxies.js'
import { asRoot } from './root.js'

/** Releases of Debian and Ubuntu that a node can have. */
export const suites = ['bookworm', 'trixie', 'noble'] as const
export type Suite = (typeof suites)[number]

/** What a release is called. */
export const titles: Readonly<Record<Suite, string>> = {
  bookworm: 'Debian bookworm',
  trixie: 'Debian trixie',
  noble: 'Ubuntu noble',
}

// What is on a fresh node: about what a cloud's Debian image brings.
const packages = [
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

/** What is on a fresh node of a release. A smallest Ubuntu is one without apt. */
export function packagesOf(suite: Suite): readonly string[] {
  return suite === 'noble' ? [...packages, 'apt'] : packages
}

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
  const recipe = createHash('sha256').update(packagesOf(suite).join()).update(finish.text).digest('hex').slice(0, 8)
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
  const mirror = await findMirror(suite)
  const build = sh`
    [ ! -e ${image} ] || exit 0
    echo ${`Building a ${suite} image, once (about a minute)`}
    install -d -m 755 ${state.root}
    install -d -m 700 ${state.root}/images
    new=${image}.new
    rm -rf --one-file-system "$new"
    # With mounts of its own, which nobody else walks into, and which are gone however it ends.
    printf '%s\n' ${mirror.sources} | unshare --mount mmdebstrap --quiet --mode=root --variant=minbase ${mirror.options} --include=${packagesOf(suite).join()} ${suite} "$new" -`
  const publish = sh`
    sync -f "$new"
    mv "$new" ${image}`
  await asRoot(`Build the ${suite} image`, lines(mirror.keys, build, finish, publish), {
    lock: `${state.root}/locks/${suite}`,
    environ: proxyEnvironment(process.env),
    onLine: progress,
    signal,
  }).catch((error: unknown) => {
    throw mirrorFailure(error, titles[suite], mirror.main)
  })
}
