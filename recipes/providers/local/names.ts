import { createHash } from 'node:crypto'
import { KraftError } from '../../../engine/errors/failure.js'

/** A folder of local nodes and the first three numbers of the network that they share. */
export interface State {
  /** Absolute path of the folder, `/var/lib/kraftwerk` by default. */
  readonly root: string
  /** `10.77.0`: nodes are 10.77.0.2 to 10.77.0.254, this machine is 10.77.0.1. */
  readonly subnet: string
}

/** Ports of the two mirrors on the bridge's address; not 3142, where a stock apt-cacher-ng would be. */
export const ports = { apt: 3143, pip: 3144 } as const

/** The lowest and highest last number of a node's address. */
export const octets = { first: 2, last: 254 } as const

/**
 * Everything on this machine that belongs to one node, named so that neither two nodes nor two states ever collide.
 *
 * @example nodeNames({ root: '/var/lib/kraftwerk', subnet: '10.77.0' }, 'demo', 9).id // kraft-0a4d0009
 */
export interface NodeNames {
  readonly name: string
  readonly octet: number
  readonly address: string
  /** Names its network namespace, its cgroups, its machine and its cable; 14 characters, as an interface's name may have 15. */
  readonly id: string
  readonly mac: string
  /** Its files: `root` is where they are mounted together. */
  readonly folder: string
  /** Pids and console, readable by everyone, so that asking how a node is needs no root. */
  readonly run: string
}

/** Names of what a node has on this machine. */
export function nodeNames(state: State, name: string, octet: number): NodeNames {
  const hex = [...subnetBytes(state), octet].map(byteAsHex)
  return {
    name,
    octet,
    address: `${state.subnet}.${octet}`,
    id: `kraft-${hex.join('')}`,
    mac: `02:6b:${hex.join(':')}`,
    folder: `${state.root}/nodes/${name}`,
    run: `${state.root}/run/${name}`,
  }
}

/** The bridge's name; ids of the nodes on it begin with it. */
export function bridgeName(state: State): string {
  return `kraft-${subnetBytes(state).map(byteAsHex).join('')}`
}

/** This machine's address on the bridge. */
export function gateway(state: State): string {
  return `${state.subnet}.1`
}

/**
 * The last number of a new node's address: the same name gets the same address again wherever it is free, so that a line in
 * /etc/hosts stays true. Undefined: all are taken.
 */
export function chooseOctet(name: string, used: ReadonlySet<number>): number | undefined {
  const count = octets.last - octets.first + 1
  const start = createHash('sha256').update(name).digest().readUInt32BE(0) % count
  for (let step = 0; step < count; step += 1) {
    const octet = octets.first + ((start + step) % count)
    if (!used.has(octet)) return octet
  }
  return undefined
}

/** Refuses a name that can't be a host's. Throws a KraftError. */
export function checkName(name: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return
  throw new KraftError({
    kind: 'usage',
    message: `"${name}" can't be the name of a local node`,
    next: 'Use lower-case letters, digits and dashes, 63 at the most.',
  })
}

/** Gives a state its type after checking both parts. Throws a KraftError. */
export function checkState(state: State): State {
  if (!/^\/[\w@%+=./-]*[\w@%+=-]$/.test(state.root) || state.root.split('/').includes('..')) {
    throw new KraftError({
      kind: 'usage',
      message: `KRAFT_LOCAL_STATE can't be "${state.root}"`,
      next: 'Give an absolute path of letters, digits and dashes below /, e.g. /var/lib/kraftwerk.',
    })
  }
  const bytes = state.subnet.split('.').map(Number)
  const fine = /^\d{1,3}(\.\d{1,3}){2}$/.test(state.subnet) && bytes.every((byte) => byte <= 255)
  if (!fine || !isPrivate(bytes)) {
    throw new KraftError({
      kind: 'usage',
      message: `KRAFT_LOCAL_SUBNET can't be "${state.subnet}"`,
      next: 'Give the first three numbers of a private network, e.g. 10.77.0.',
    })
  }
  return state
}

function isPrivate([a, b]: readonly (number | undefined)[]): boolean {
  return a === 10 || (a === 192 && b === 168) || (a === 172 && b !== undefined && b >= 16 && b <= 31)
}

function subnetBytes(state: State): readonly number[] {
  return state.subnet.split('.').map(Number)
}

function byteAsHex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
