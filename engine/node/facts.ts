import { KraftError } from '../errors/failure.js'
import { quote, sh } from '../shell/sh.js'
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

/** Prints the facts in a row of their own, for {@link parseFacts}: they can come with whatever else is read first. */
export const factsRow = sh`
  if [ -r /etc/os-release ]; then . /etc/os-release; fi
  printf 'facts %s %s %s %s ' "\${ID:-}" "\${VERSION_CODENAME:-}" "$(dpkg --print-architecture)" "$(nproc)"
  awk '/^MemTotal/ { printf "%d ", $2 / 1024 }' /proc/meminfo
  systemd-detect-virt -c -q && printf 'yes ' || printf 'no '
  [ -e /proc/net/if_inet6 ] && echo yes || echo no
`

/** Reads the facts of a node in one round trip. */
export async function readFacts(connection: Connection): Promise<Facts> {
  const { stdout, stderr } = await connection.capture(`sh -c ${quote(factsRow.text)}`)
  return parseFacts(connection.node, stdout, stderr)
}

/** The facts in what {@link factsRow} printed on a node, among other rows. Throws `task` where it is no Debian. */
export function parseFacts(node: string, text: string, said = ''): Facts {
  const row = text.split('\n').find((each) => each.startsWith('facts ')) ?? ''
  const [, os = '', codename, architecture = '', cpus, memory, container, ipv6] = row.split(' ')
  if (os === '' || codename === undefined || architecture === '') {
    throw new KraftError({
      kind: 'task',
      node,
      message: 'it does not look like Debian or Ubuntu with systemd',
      output: said,
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
