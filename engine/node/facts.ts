import { KraftError } from '../errors/failure.js'
import { quote } from '../shell/sh.js'
import type { Connection } from '../ssh/connection.js'

/** What kraft knows of a node before it changes it. */
export interface Facts {
  /** `debian` or `ubuntu`. */
  readonly os: string
  /** `bookworm`, `trixie`, `jammy`, `noble`… */
  readonly codename: string
  /** As Debian names it: `amd64`, `arm64`. */
  readonly architecture: string
  readonly cpus: number
  /** Megabytes of memory. */
  readonly memory: number
  /** Runs in a container, where the kernel's settings are not the node's. */
  readonly container: boolean
  /** The kernel has IPv6. */
  readonly ipv6: boolean
}

const script = `. /etc/os-release
printf '%s\\n' "$ID" "$VERSION_CODENAME" "$(dpkg --print-architecture)" "$(nproc)"
awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo
systemd-detect-virt -c -q && echo yes || echo no
[ -e /proc/net/if_inet6 ] && echo yes || echo no`

/** Reads the facts of a node in one round trip. */
export async function readFacts(connection: Connection): Promise<Facts> {
  const { stdout, stderr } = await connection.capture(`sh -c ${quote(script)}`)
  const [os, codename, architecture, cpus, memory, container, ipv6] = stdout.split('\n')
  if (container === undefined || os === undefined || codename === undefined || architecture === undefined) {
    throw new KraftError({
      kind: 'task',
      node: connection.node,
      message: 'it does not look like Debian or Ubuntu with systemd',
      output: stderr,
      next: 'kraft prepares Debian 12 and 13, Ubuntu 22.04 and 24.04',
    })
  }
  return {
    os,
    codename,
    architecture,
    cpus: Number(cpus),
    memory: Number(memory),
    container: container === 'yes',
    ipv6: ipv6 === 'yes',
  }
}
