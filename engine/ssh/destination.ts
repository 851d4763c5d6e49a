import { isFenced, type NodeRecord } from '../node/record.js'

/** Whom to connect to, as far as kraft knows it; what is left out comes from ~/.ssh/config. */
export interface Destination {
  /** The node's name, which is the alias that ~/.ssh/config may know. */
  readonly name: string
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  /** The only host keys to accept, as in {@link import('../node/record.js').NodeRecord.host_keys}. */
  readonly hostKeys: readonly string[]
  /** Jump hosts to go through, first to last; left out: as ~/.ssh/config says. */
  readonly jumps?: readonly string[] | undefined
  /** Its provider's firewall lets only known addresses in. */
  readonly isFenced?: true | undefined
}

/** Whom to connect to by what nodes.yaml remembers. */
export function destinationOf(record: NodeRecord): Destination {
  const { name, address, port, user, host_keys: hostKeys } = record
  return { name, address, port, user, hostKeys, ...(isFenced(record) && { isFenced: true }) }
}
